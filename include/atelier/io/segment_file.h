#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "atelier/base/buffer.h"
#include "atelier/base/hash.h"
#include "atelier/frame/chunk.h"
#include "atelier/frame/segment.h"

namespace atelier::io {

/// What the record and the muxer need of a frame whose chunk was made in an earlier start.
struct StoredFrame {
  std::int64_t pts_ticks = 0;  ///< in the input stream's time base
  std::int32_t rank = 0;       ///< that styled it
  float decode_s = 0;
  float transfer_s = 0;
  float convert_s = 0;
  float style_s = 0;
  float encode_s = 0;
};

/// What of the processors that made a segment its bits depend on.
struct ProcessorKind {
  std::string bits;  ///< equal: the same input and settings give the same bits
  std::string name;  ///< for people
  bool operator==(const ProcessorKind&) const = default;
};

/// A segment as the work directory keeps it.
struct StoredSegment {
  Hash128 fingerprint;           ///< of the settings that made it
  std::uint64_t input_hash = 0;  ///< of the frames that the chunk was styled from
  Segment segment;
  std::vector<StoredFrame> frames;      ///< of the chunk, in output order; at least one
  std::vector<std::byte> reader_state;  ///< opaque here: what a reader needs to go on after the chunk
  ProcessorKind processor;              ///< that made it

  [[nodiscard]] Chunk chunk() const {
    return {segment.chunk_index, segment.first_frame,
            segment.first_frame + static_cast<std::int64_t>(frames.size())};
  }
  [[nodiscard]] std::int64_t last_pts_ticks() const { return frames.back().pts_ticks; }
};

/// Why bytes or a file are no usable segment.
enum class SegmentFault {
  not_a_segment,   ///< other magic, or another name
  other_version,   ///< of the format
  cut,             ///< shorter or longer than it says, or without its end
  damaged,         ///< its hash or a value in it is wrong
  other_settings,  ///< another fingerprint
  misnamed,        ///< its name says another chunk or fingerprint than it holds
  duplicate,       ///< another file has the same chunk; this one is spare
  unreadable,      ///< the file system gave an error that lasts, such as a folder of that name
  unreachable,     ///< the storage failed: it may be whole and right
};

struct SegmentProblem {
  SegmentFault fault = SegmentFault::damaged;
  std::string reason;  ///< a clause for the log
};

struct ParsedSegment {
  std::optional<StoredSegment> segment;  ///< nullopt: see problem
  SegmentProblem problem;
};

/// The bytes of a segment file, all numbers little-endian, nothing aligned:
///
///     u8[8]  magic "ATELSEG" and 0x1A
///     u32    format version, 2
///     u64    size of the whole file in bytes
///     u64[2] fingerprint: high half, low half
///     i64    chunk index
///     i64    first frame
///     i64    end frame: one past the last
///     u64    hash of the decoded frames of this chunk
///     i64    pts of the last frame
///     f64    seconds of encoding
///     u64    size of the reader's state R
///     u64    size of the extradata E
///     u64    number of packets P
///     u64    size of the processor's bits K
///     u64    size of the processor's name N
///     (end frame - first frame) times: i64 pts, i32 rank, f32 seconds of decode, transfer, convert, style,
///            encode
///     u8[R]  reader's state
///     u8[E]  extradata
///     u8[K]  what of the processor the bits depend on
///     u8[N]  the processor's name
///     P times: i64 pts, i64 duration, u8 1 for a keyframe else 0, u64 size of data D,
///            u64 size of side data S, u8[D] data, u8[S] side data
///     u8[8]  end marker "ATELEND" and 0x0A
///     u64    XXH3 (64 bit) of all bytes before it
///
/// Throws JobError for a segment without frames or with an index below zero: parse_segment refuses it.
Buffer serialise_segment(const StoredSegment& stored);

/// Total: any bytes give a segment, or the problem. It allocates no more than a small multiple of the bytes.
ParsedSegment parse_segment(std::span<const std::byte> bytes);

}  // namespace atelier::io
