#include "side_data.h"

#include <cstdint>
#include <cstring>

#include "compat.h"

namespace atelier::media {
namespace {

SideDataEntry entry_of(int type, const std::uint8_t* data, std::size_t size_bytes) {
  SideDataEntry entry;
  entry.type = type;
  entry.data.resize(size_bytes);
  if (size_bytes > 0) std::memcpy(entry.data.data(), data, size_bytes);
  return entry;
}

/// Not carried: what describes the old bitstream, asks something of an encoder, or holds pointers.
bool travels_with_frame(AVFrameSideDataType type) {
  switch (type) {
    case AV_FRAME_DATA_PANSCAN:
    case AV_FRAME_DATA_A53_CC:
    case AV_FRAME_DATA_STEREO3D:
    case AV_FRAME_DATA_AFD:
    case AV_FRAME_DATA_MASTERING_DISPLAY_METADATA:
    case AV_FRAME_DATA_GOP_TIMECODE:
    case AV_FRAME_DATA_CONTENT_LIGHT_LEVEL:
    case AV_FRAME_DATA_S12M_TIMECODE:
    case AV_FRAME_DATA_DYNAMIC_HDR_PLUS:
    case AV_FRAME_DATA_DYNAMIC_HDR_VIVID:
    case AV_FRAME_DATA_SEI_UNREGISTERED:
#if ATELIER_MEDIA_AMBIENT_VIEWING
    case AV_FRAME_DATA_AMBIENT_VIEWING_ENVIRONMENT:
#endif
      return true;
    default:
      return false;
  }
}

/// Not carried: what describes the old bitstream (CPB, Dolby Vision configuration, cropping already done).
bool travels_with_stream(AVPacketSideDataType type) {
  switch (type) {
    case AV_PKT_DATA_DISPLAYMATRIX:
    case AV_PKT_DATA_STEREO3D:
    case AV_PKT_DATA_MASTERING_DISPLAY_METADATA:
    case AV_PKT_DATA_SPHERICAL:
    case AV_PKT_DATA_CONTENT_LIGHT_LEVEL:
    case AV_PKT_DATA_ICC_PROFILE:
#if ATELIER_MEDIA_AMBIENT_VIEWING_STREAM
    case AV_PKT_DATA_AMBIENT_VIEWING_ENVIRONMENT:
#endif
      return true;
    default:
      return false;
  }
}

/// A count, and as many timecodes; what FFmpeg leaves behind them is whatever was in memory.
void clear_unused_timecodes(std::vector<std::byte>& words) {
  if (words.size() < sizeof(std::uint32_t)) return;
  std::uint32_t count = 0;
  std::memcpy(&count, words.data(), sizeof count);
  const std::size_t used = (std::size_t{count} + 1) * sizeof count;
  for (std::size_t i = used; i < words.size(); ++i) words[i] = std::byte{0};
}

}  // namespace

std::vector<std::byte> pack_frame_side_data(const AVFrame& frame) {
  std::vector<SideDataEntry> entries;
  for (int i = 0; i < frame.nb_side_data; ++i) {
    const AVFrameSideData& data = *frame.side_data[i];
    if (!travels_with_frame(data.type)) continue;
    entries.push_back(entry_of(data.type, data.data, data.size));
    if (data.type == AV_FRAME_DATA_S12M_TIMECODE) clear_unused_timecodes(entries.back().data);
  }
  return pack_entries(entries);
}

void unpack_frame_side_data(const std::vector<std::byte>& bytes, AVFrame& frame) {
  for (const SideDataEntry& entry : unpack_entries(bytes)) {
    AVFrameSideData* data =
        av_frame_new_side_data(&frame, static_cast<AVFrameSideDataType>(entry.type), entry.data.size());
    if (data == nullptr) throw std::bad_alloc();
    if (!entry.data.empty()) std::memcpy(data->data, entry.data.data(), entry.data.size());
  }
}

std::vector<std::byte> pack_stream_side_data(const AVStream& stream) {
  std::vector<SideDataEntry> entries;
  for (int i = 0; i < compat::num_stream_side_data(stream); ++i) {
    const AVPacketSideData& data = compat::stream_side_data(stream, i);
    if (travels_with_stream(data.type)) entries.push_back(entry_of(data.type, data.data, data.size));
  }
  return pack_entries(entries);
}

std::vector<std::byte> add_frame_to_stream_side_data(const std::vector<std::byte>& stream_side_data,
                                                     const AVFrame& frame) {
  struct Twin {
    AVFrameSideDataType frame;
    AVPacketSideDataType stream;
  };
  constexpr Twin twins[] = {
    {AV_FRAME_DATA_DISPLAYMATRIX, AV_PKT_DATA_DISPLAYMATRIX},
    {AV_FRAME_DATA_STEREO3D, AV_PKT_DATA_STEREO3D},
    {AV_FRAME_DATA_MASTERING_DISPLAY_METADATA, AV_PKT_DATA_MASTERING_DISPLAY_METADATA},
    {AV_FRAME_DATA_SPHERICAL, AV_PKT_DATA_SPHERICAL},
    {AV_FRAME_DATA_CONTENT_LIGHT_LEVEL, AV_PKT_DATA_CONTENT_LIGHT_LEVEL},
    {AV_FRAME_DATA_ICC_PROFILE, AV_PKT_DATA_ICC_PROFILE},
#if ATELIER_MEDIA_AMBIENT_VIEWING_STREAM
    {AV_FRAME_DATA_AMBIENT_VIEWING_ENVIRONMENT, AV_PKT_DATA_AMBIENT_VIEWING_ENVIRONMENT},
#endif
  };
  std::vector<SideDataEntry> entries = unpack_entries(stream_side_data);
  for (const Twin& twin : twins) {
    const AVFrameSideData* data = av_frame_get_side_data(&frame, twin.frame);
    bool known = data == nullptr;
    for (const SideDataEntry& entry : entries) known = known || entry.type == twin.stream;
    if (!known) entries.push_back(entry_of(twin.stream, data->data, data->size));
  }
  return pack_entries(entries);
}

}  // namespace atelier::media
