#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "atelier/base/buffer.h"
#include "atelier/frame/chunk.h"
#include "atelier/media/input_info.h"
#include "atelier/media/packet_chunk.h"

namespace atelier::media {

struct PacketReaderConfig {
  std::filesystem::path path;      ///< as VideoReaderConfig::path
  std::optional<int> stream = {};  ///< as VideoReaderConfig::stream
  double start_s = 0;              ///< as VideoReaderConfig
  double duration_s = 0;
  std::int64_t chunk_frames = 1;
};

/// A packed PacketChunk, and what the one who deals it wants to know.
struct PackedChunk {
  Chunk chunk;
  std::vector<std::int64_t> pts_ticks;  ///< of its frames, in output order
  Buffer bytes;                         ///< for PacketDecoder
  std::uint64_t hash = 0;               ///< XXH3 of bytes: packets and times
  std::int64_t num_decoded_frames = 0;  ///< that a decoder of this chunk decodes, at least those of the chunk
};

/// Demuxes the styled stream and cuts it into chunks for decoders that know nothing of one another: the
/// frames of a VideoReader with the same settings, in the same order, without decoding any.
///
/// It goes only as far as packets tell surely which frames they give: one time for each, keyframes at which
/// decoding may begin, nothing missing or damaged. What is beyond that is an obstacle, and the video must be
/// decoded by a VideoReader; the chunks before it are right.
class PacketReader {
 public:
  /// Throws UsageError as VideoReader does for what is no video.
  explicit PacketReader(const PacketReaderConfig& config);
  ~PacketReader();
  PacketReader(PacketReader&&) noexcept;
  PacketReader& operator=(PacketReader&&) noexcept;

  /// For PacketDecoder. info: of a VideoReader with the same settings.
  [[nodiscard]] DecoderSetup decoder_setup(const InputInfo& info) const;
  /// The next chunk; nullopt at the end and at an obstacle.
  std::optional<PackedChunk> read();
  /// Why it cannot go on, a clause; empty: it can, or the video has ended.
  [[nodiscard]] const std::string& obstacle() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace atelier::media
