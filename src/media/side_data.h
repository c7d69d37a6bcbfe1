#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <vector>

#include "libav.h"
#include "side_data_entries.h"

namespace atelier::media {

/// The frame's side data that travels with it (A53 captions, HDR10+, timecode, …), as bytes; empty: none. Of
/// what cannot travel (Dolby Vision) there is an entry without bytes, so that it can be named.
std::vector<std::byte> pack_frame_side_data(const AVFrame& frame);
/// Gives the frame what travels.
void unpack_frame_side_data(const std::vector<std::byte>& bytes, AVFrame& frame);

/// Per-stream side data as (type, bytes) pairs (display matrix, mastering display, content light, ICC …);
/// what does not fit the styled stream has no bytes, as above.
std::vector<std::byte> pack_stream_side_data(const AVStream& stream);
/// The same with what only the frame has (mastering display in HEVC SEI, EXIF orientation, ICC in PNG …).
std::vector<std::byte> add_frame_to_stream_side_data(const std::vector<std::byte>& stream_side_data,
                                                     const AVFrame& frame);

/// The same for a video that was scaled: without what counts pixels (crop).
std::vector<std::byte> for_other_size(const std::vector<std::byte>& stream_side_data);

/// Types of the packed entries.
std::set<int> kinds_of(const std::vector<std::byte>& entries);
/// As kinds_of for frames, without those that describe the whole stream: these are among the stream's too.
std::set<int> frame_kinds_of(const std::vector<std::byte>& frame_side_data);

/// True for what describes a whole stream although each frame may have it (mastering display …).
bool is_of_whole_stream(int frame_type);

/// What people call it, else FFmpeg's name: "captions", "Dolby Vision RPU Data" … type: AVFrameSideDataType.
std::string frame_side_data_name(int type);
/// The same for AVPacketSideDataType: "rotation", "DOVI configuration record" …
std::string stream_side_data_name(int type);
/// True for stream side data that tell of the bit stream, not of what it shows: nothing is lost with them.
bool describes_bit_stream(int type);

}  // namespace atelier::media
