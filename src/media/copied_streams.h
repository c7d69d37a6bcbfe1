#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <queue>
#include <string>
#include <vector>

#include "atelier/media/muxer.h"
#include "input_packets.h"
#include "libav.h"

namespace atelier::media {

/// Reads every stream of the input but the styled one, alongside the video and on the same clock
/// (InputClock), and gives its packets in a fixed order: by decoding time within a small window, then as the
/// input has them.
class CopiedStreams {
 public:
  /// Opens the input; a row of pictures has no other streams.
  explicit CopiedStreams(const MuxerConfig& config);

  /// The input, for metadata and chapters; null for pictures.
  [[nodiscard]] const AVFormatContext* input() const { return input_.get(); }
  /// Copy the stream of this index to the output's stream. Others are skipped while reading.
  void select(int input_index, AVStream& output_stream);
  /// Bytes of the selected streams as far as an index tells them beforehand (MP4's); 0 in other containers.
  [[nodiscard]] std::int64_t indexed_bytes() const;
  /// From now on only what was read ahead is left.
  void stop_reading() { at_end_ = true; }
  /// Reads ahead until the first packet of each selected stream is known, or a bound is reached.
  void look_ahead();
  /// The smallest presentation time of the packets that are waiting, in milliseconds as Matroska notes it
  /// (with the codec delay added); a large number: none are waiting.
  [[nodiscard]] std::int64_t first_matroska_ms() const;
  /// The smallest decoding time of the packets that are waiting; a large number: none are waiting.
  [[nodiscard]] std::int64_t first_dts_us() const;

  /// True if sound or another video stream begins after zero.
  [[nodiscard]] bool starts_late() const;

  struct Item {
    PacketPtr packet;  ///< times in the input stream's time base; stream_index is the output's
    AVRational time_base{0, 1};
    AVStream* output_stream = nullptr;
    double order_s = 0;
    std::int64_t number = 0;
  };
  /// True while a packet is left whose decoding time is at most time_s; then pop() gives it.
  bool has_before(double time_s);
  Item pop();

 private:
  struct Track {
    AVStream* output_stream = nullptr;
    bool seen = false;
    bool is_sparse = false;
    bool waits_for_key = false;
    double order_s = -std::numeric_limits<double>::infinity();
    std::int64_t next_dts = AV_NOPTS_VALUE;
  };
  struct Later {
    bool operator()(const Item& a, const Item& b) const {
      return a.order_s != b.order_s ? a.order_s > b.order_s : a.number > b.number;
    }
  };
  bool read_one();
  void complete_times(AVPacket& packet, const AVStream& stream, Track& track) const;
  [[nodiscard]] bool is_cut_away(AVPacket& packet, const AVStream& stream, Track& track);
  [[nodiscard]] bool window_is_full() const;

  InputPtr input_;
  std::optional<InputPackets> packets_;
  std::vector<Track> tracks_;
  std::vector<Item> waiting_;  ///< a heap, the earliest on top
  std::size_t waiting_bytes_ = 0;
  std::int64_t num_read_ = 0;
  bool at_end_ = false;
  double cut_start_s_;
  double cut_end_s_;
};

}  // namespace atelier::media
