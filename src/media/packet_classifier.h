#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>

#include "libav.h"

namespace atelier::media {

/// Tells, without decoding, what a packet is to a decoder that begins midway. One for each stream: it follows
/// the packets in decoding order.
class PacketClassifier {
 public:
  /// Whether decoding may begin at a packet.
  enum class Entry {
    none,
    after_one,  ///< whole only where decoding began an entry earlier
    clean,      ///< every frame at or after its own time is as if all had been decoded
  };
  struct Kind {
    bool shown = true;  ///< gives a frame of its own
    Entry entry = Entry::none;
  };

  PacketClassifier() = default;
  PacketClassifier(const PacketClassifier&) = delete;
  PacketClassifier& operator=(const PacketClassifier&) = delete;
  virtual ~PacketClassifier() = default;

  virtual Kind classify(const AVPacket& packet) = 0;
  /// Frames that may be decoded after a frame and shown before it.
  [[nodiscard]] virtual int max_reorder() const { return 0; }
  /// True where the next packet that is shown later has a say in a frame.
  [[nodiscard]] virtual bool looks_ahead() const { return false; }
};

/// nullptr for codecs whose decoders carry more from one keyframe to the next than can be told, or which are
/// not worth it.
std::unique_ptr<PacketClassifier> make_packet_classifier(const AVCodecParameters& codec);

}  // namespace atelier::media
