#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>

namespace atelier::schedule {

/// Chooses the rank that encodes a chunk, where workers encode. Pure: no I/O, no clock, no threads.
///
/// A worker encodes what it styles, as long as that keeps up. Its encoding is behind if it styles as many
/// chunks as it encodes at a time while one waits to be encoded to its end. Then it encodes only what its
/// encoders can begin with at once, and the next chunk goes to a helper that has room: a rank that styles
/// nothing.
class EncoderChoice {
 public:
  struct Encoder {
    std::string host;
    int num_encoders = 1;  ///< chunks that it encodes at the same time
    bool helper = false;
  };
  void add(int rank, const Encoder& encoder) { ranks_[rank].encoder = encoder; }

  /// Who encodes the next chunk of this worker, which must have been added. Of the helpers with room: one on
  /// its host, then the one with most room, then the lowest rank.
  int choose(int worker);
  /// The worker has styled all of a chunk, which the other encodes: itself, a helper, or after a failure the
  /// worker that had the chunk first.
  void styled(int worker, int encoder);
  /// All of a styled chunk is encoded.
  void encoded(int encoder);
  /// A chunk will never be wholly styled: it is not encoded.
  void dropped(int encoder) { --ranks_.at(encoder).num_chosen; }

 private:
  struct State {
    Encoder encoder;
    int num_chosen = 0;                      // chunks that it is to encode
    std::int64_t num_styled = 0;             // chunks that it has styled
    std::deque<std::int64_t> styled_before;  // num_styled as each was that it encodes, if it styles itself
    bool behind = false;
    [[nodiscard]] int room() const;
  };
  std::map<int, State> ranks_;
};

}  // namespace atelier::schedule
