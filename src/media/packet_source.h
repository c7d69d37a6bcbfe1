#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "input.h"
#include "input_clock.h"
#include "libav.h"

namespace atelier::media {

/// The packets of the styled stream, in decoding order, on one clock (InputClock).
class PacketSource {
 public:
  enum class Result {
    packet,
    end,
    failed,       ///< what follows cannot be read; problem() tells
    other_codec,  ///< drain the decoder, open one for codec(), and read on
  };

  PacketSource() = default;
  PacketSource(const PacketSource&) = delete;
  PacketSource& operator=(const PacketSource&) = delete;
  virtual ~PacketSource() = default;

  virtual Result read(AVPacket& packet) = 0;
  /// Of the next packets.
  [[nodiscard]] virtual const AVCodecParameters& codec() const = 0;
  [[nodiscard]] virtual AVRational time_base() const = 0;
  /// Back to the first packet.
  virtual void rewind() = 0;
  /// To a keyframe at or before pts where the container allows it exactly; false: nothing happened.
  virtual bool seek(std::int64_t pts_ticks) = 0;
  /// Of a file: its context and stream; null for pictures.
  [[nodiscard]] virtual AVFormatContext* input() const { return nullptr; }
  [[nodiscard]] virtual AVStream* stream() const { return nullptr; }
  /// Why that stream and no other, a clause; empty: there was no choice.
  [[nodiscard]] virtual std::string choice() const { return {}; }
  /// Number of pictures; 0 for a file.
  [[nodiscard]] virtual std::int64_t num_pictures() const { return 0; }
  /// True where fields came as packets of their own, so that the container counts fields as frames.
  [[nodiscard]] virtual bool has_field_packets() const { return false; }
  /// True where the packets are still pictures, which are to be seen as their orientation says; a video's
  /// orientation stays in its stream.
  [[nodiscard]] virtual bool shows_pictures() const { return false; }
  /// Corrections of time so far, of any stream of the file.
  [[nodiscard]] virtual ClockChanges clock_changes() const { return {}; }
  /// FFmpeg's name of the container.
  [[nodiscard]] virtual std::string container() const = 0;
  [[nodiscard]] const std::string& problem() const { return problem_; }

 protected:
  std::string problem_;
};

/// Pictures become a video of 25 frames/s. stream: as in VideoReaderConfig. Throws UsageError as open_input
/// and choose_styled_stream.
std::unique_ptr<PacketSource> open_packets(const std::filesystem::path& path, std::optional<int> stream);

/// A whole still picture as one packet, and its codec. Throws UsageError.
struct PicturePacket {
  PacketPtr packet;
  CodecParametersPtr codec;
};
PicturePacket load_picture(const std::filesystem::path& path);

}  // namespace atelier::media
