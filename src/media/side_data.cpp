#include "side_data.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include "atelier/base/text.h"
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

/// What FFmpeg can write from a copy of its bytes.
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

/// True for what asks something of an encoder, comes only on demand, is of sound, or was applied by the
/// decoder (film grain): nothing is lost with it.
bool is_no_part_of_video(AVFrameSideDataType type) {
  switch (type) {
    case AV_FRAME_DATA_MATRIXENCODING:
    case AV_FRAME_DATA_DOWNMIX_INFO:
    case AV_FRAME_DATA_REPLAYGAIN:
    case AV_FRAME_DATA_MOTION_VECTORS:
    case AV_FRAME_DATA_SKIP_SAMPLES:
    case AV_FRAME_DATA_AUDIO_SERVICE_TYPE:
    case AV_FRAME_DATA_REGIONS_OF_INTEREST:
    case AV_FRAME_DATA_VIDEO_ENC_PARAMS:
    case AV_FRAME_DATA_FILM_GRAIN_PARAMS:
    case AV_FRAME_DATA_DETECTION_BBOXES:
      return true;
    default:
      return false;
  }
}

/// FFmpeg's MPEG-2 decoder gives every frame a pan-scan, mostly an empty one.
bool is_empty_pan_scan(const AVFrameSideData& data) {
  if (data.type != AV_FRAME_DATA_PANSCAN || data.size < sizeof(AVPanScan)) return false;
  const auto& scan = *reinterpret_cast<const AVPanScan*>(data.data);
  return scan.width == 0 || scan.height == 0;
}

/// The settings that x264 and x265 leave in a stream: they tell of an encode that is over.
bool is_encoder_settings(const AVFrameSideData& data) {
  static constexpr std::string_view uuids[] = {
      {"\xdc\x45\xe9\xbd\xe6\xd9\x48\xb7\x96\x2c\xd8\x20\xd9\x23\xee\xef", 16},
      {"\x2c\xa2\xde\x09\xb5\x17\x47\xdb\xbb\x55\xa4\xfe\x7f\xc2\xfc\x4e", 16}};
  const std::string_view bytes(reinterpret_cast<const char*>(data.data), data.size);
  return data.type == AV_FRAME_DATA_SEI_UNREGISTERED &&
         std::any_of(std::begin(uuids), std::end(uuids),
                     [&](std::string_view uuid) { return bytes.starts_with(uuid); });
}

/// What stays true of a stream that was coded anew.
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
#if ATELIER_MEDIA_FRAME_CROPPING
    case AV_PKT_DATA_FRAME_CROPPING:
#endif
      return true;
    default:
      return false;
  }
}

struct Twin {
  AVFrameSideDataType frame;
  AVPacketSideDataType stream;
};
/// What describes a whole stream although frames may have it.
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

struct Named {
  int type;
  const char* name;
};

std::string name_in(std::span<const Named> names, int type, const char* ffmpeg_name) {
  for (const Named& named : names)
    if (named.type == type) return named.name;
  return ffmpeg_name == nullptr ? concat("side data of type ", type) : ffmpeg_name;
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
    if (is_no_part_of_video(data.type) || is_empty_pan_scan(data) || is_encoder_settings(data)) continue;
    if (!travels_with_frame(data.type)) {
      if (!is_of_whole_stream(data.type)) entries.push_back({data.type, {}});
      continue;
    }
    entries.push_back(entry_of(data.type, data.data, data.size));
    if (data.type == AV_FRAME_DATA_S12M_TIMECODE) clear_unused_timecodes(entries.back().data);
  }
  return pack_entries(entries);
}

void unpack_frame_side_data(const std::vector<std::byte>& bytes, AVFrame& frame) {
  for (const SideDataEntry& entry : unpack_entries(bytes)) {
    if (entry.data.empty()) continue;
    AVFrameSideData* data =
        av_frame_new_side_data(&frame, static_cast<AVFrameSideDataType>(entry.type), entry.data.size());
    if (data == nullptr) throw std::bad_alloc();
    std::memcpy(data->data, entry.data.data(), entry.data.size());
  }
}

std::vector<std::byte> pack_stream_side_data(const AVStream& stream) {
  std::vector<SideDataEntry> entries;
  for (int i = 0; i < compat::num_stream_side_data(stream); ++i) {
    const AVPacketSideData& data = compat::stream_side_data(stream, i);
    if (travels_with_stream(data.type))
      entries.push_back(entry_of(data.type, data.data, data.size));
    else if (!describes_bit_stream(data.type))
      entries.push_back({data.type, {}});
  }
  return pack_entries(entries);
}

std::vector<std::byte> add_frame_to_stream_side_data(const std::vector<std::byte>& stream_side_data,
                                                     const AVFrame& frame) {
  std::vector<SideDataEntry> entries = unpack_entries(stream_side_data);
  for (const Twin& twin : twins) {
    const AVFrameSideData* data = av_frame_get_side_data(&frame, twin.frame);
    bool known = data == nullptr;
    for (const SideDataEntry& entry : entries) known = known || entry.type == twin.stream;
    if (!known) entries.push_back(entry_of(twin.stream, data->data, data->size));
  }
  return pack_entries(entries);
}

std::vector<std::byte> for_other_size(const std::vector<std::byte>& stream_side_data) {
  std::vector<SideDataEntry> entries = unpack_entries(stream_side_data);
#if ATELIER_MEDIA_FRAME_CROPPING
  for (SideDataEntry& entry : entries)
    if (entry.type == AV_PKT_DATA_FRAME_CROPPING) entry.data.clear();
#endif
  return pack_entries(entries);
}

std::set<int> kinds_of(const std::vector<std::byte>& entries) {
  std::set<int> kinds;
  for (const SideDataEntry& entry : unpack_entries(entries)) kinds.insert(entry.type);
  return kinds;
}

std::set<int> frame_kinds_of(const std::vector<std::byte>& frame_side_data) {
  std::set<int> kinds = kinds_of(frame_side_data);
  std::erase_if(kinds, is_of_whole_stream);
  return kinds;
}

bool is_of_whole_stream(int frame_type) {
  return std::any_of(std::begin(twins), std::end(twins),
                     [&](const Twin& twin) { return twin.frame == frame_type; });
}

std::string frame_side_data_name(int type) {
  static constexpr Named names[] = {
      {AV_FRAME_DATA_A53_CC, "captions"},
      {AV_FRAME_DATA_DYNAMIC_HDR_PLUS, "HDR10+ metadata"},
      {AV_FRAME_DATA_DYNAMIC_HDR_VIVID, "HDR Vivid metadata"},
      {AV_FRAME_DATA_S12M_TIMECODE, "timecode"},
      {AV_FRAME_DATA_GOP_TIMECODE, "timecode of groups of pictures"},
      {AV_FRAME_DATA_AFD, "active format description"},
      {AV_FRAME_DATA_PANSCAN, "pan-scan"},
      {AV_FRAME_DATA_SEI_UNREGISTERED, "unregistered user data"},
  };
  return name_in(names, type, av_frame_side_data_name(static_cast<AVFrameSideDataType>(type)));
}

std::string stream_side_data_name(int type) {
  static constexpr Named names[] = {
      {AV_PKT_DATA_DISPLAYMATRIX, "rotation"},
      {AV_PKT_DATA_SPHERICAL, "spherical projection"},
      {AV_PKT_DATA_STEREO3D, "stereo 3D mode"},
      {AV_PKT_DATA_ICC_PROFILE, "colour profile"},
      {AV_PKT_DATA_DOVI_CONF, "Dolby Vision configuration"},
  };
  return name_in(names, type, av_packet_side_data_name(static_cast<AVPacketSideDataType>(type)));
}

bool describes_bit_stream(int type) {
  switch (type) {
    case AV_PKT_DATA_PALETTE:
    case AV_PKT_DATA_NEW_EXTRADATA:
    case AV_PKT_DATA_PARAM_CHANGE:
    case AV_PKT_DATA_H263_MB_INFO:
    case AV_PKT_DATA_QUALITY_STATS:
    case AV_PKT_DATA_CPB_PROPERTIES:
    case AV_PKT_DATA_SKIP_SAMPLES:
    case AV_PKT_DATA_MPEGTS_STREAM_ID:
      return true;
    default:
      return false;
  }
}

}  // namespace atelier::media
