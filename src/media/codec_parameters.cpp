#include "codec_parameters.h"

#include <cstring>
#include <span>
#include <utility>

#include "atelier/base/checked_cast.h"
#include "atelier/base/text.h"
#include "atelier/frame/message_bytes.h"
#include "compat.h"
#include "side_data.h"

namespace atelier::media {
namespace {

/// Calls visit(name, field) for every field that a video decoder reads.
template <typename Parameters, typename Visit>
void for_each_field(Parameters& codec, Visit visit) {
  visit("codec_id", codec.codec_id);
  visit("codec_tag", codec.codec_tag);
  visit("format", codec.format);
  visit("bit_rate", codec.bit_rate);
  visit("bits_per_coded_sample", codec.bits_per_coded_sample);
  visit("bits_per_raw_sample", codec.bits_per_raw_sample);
  visit("profile", codec.profile);
  visit("level", codec.level);
  visit("width", codec.width);
  visit("height", codec.height);
  visit("sample_aspect_ratio.num", codec.sample_aspect_ratio.num);
  visit("sample_aspect_ratio.den", codec.sample_aspect_ratio.den);
  visit("field_order", codec.field_order);
  visit("color_range", codec.color_range);
  visit("color_primaries", codec.color_primaries);
  visit("color_trc", codec.color_trc);
  visit("color_space", codec.color_space);
  visit("chroma_location", codec.chroma_location);
  visit("video_delay", codec.video_delay);
#if LIBAVCODEC_VERSION_INT >= AV_VERSION_INT(60, 11, 100)
  visit("framerate.num", codec.framerate.num);
  visit("framerate.den", codec.framerate.den);
#endif
}

}  // namespace

void store_codec_parameters(const AVCodecParameters& codec, DecoderSetup& setup) {
  for_each_field(codec, [&](const char* name, const auto& field) {
    setup.parameters.emplace_back(name, static_cast<std::int64_t>(field));
  });
  if (codec.extradata_size > 0) {
    const auto bytes =
        std::as_bytes(std::span(codec.extradata, static_cast<std::size_t>(codec.extradata_size)));
    setup.extradata.assign(bytes.begin(), bytes.end());
  }
#if ATELIER_MEDIA_CODED_SIDE_DATA
  std::vector<SideDataEntry> entries;
  for (int i = 0; i < codec.nb_coded_side_data; ++i) {
    const AVPacketSideData& data = codec.coded_side_data[i];
    const auto bytes = std::as_bytes(std::span(data.data, data.size));
    entries.push_back({data.type, {bytes.begin(), bytes.end()}});
  }
  setup.side_data = pack_entries(entries);
#endif
}

CodecParametersPtr restore_codec_parameters(const DecoderSetup& setup) {
  CodecParametersPtr codec(avcodec_parameters_alloc());
  if (!codec) throw std::bad_alloc();
  codec->codec_type = AVMEDIA_TYPE_VIDEO;
  std::size_t next = 0;
  for_each_field(*codec, [&](const char* name, auto& field) {
    if (next >= setup.parameters.size() || setup.parameters[next].first != name)
      throw_malformed_message(concat("no ", name, " of the video"));
    field = static_cast<std::remove_reference_t<decltype(field)>>(setup.parameters[next++].second);
  });
  if (!setup.extradata.empty()) {
    codec->extradata =
        static_cast<std::uint8_t*>(av_mallocz(setup.extradata.size() + AV_INPUT_BUFFER_PADDING_SIZE));
    if (codec->extradata == nullptr) throw std::bad_alloc();
    codec->extradata_size = checked_cast<int>(setup.extradata.size());
    std::memcpy(codec->extradata, setup.extradata.data(), setup.extradata.size());
  }
#if ATELIER_MEDIA_CODED_SIDE_DATA
  for (const SideDataEntry& entry : unpack_entries(setup.side_data)) {
    AVPacketSideData* data =
        av_packet_side_data_new(&codec->coded_side_data, &codec->nb_coded_side_data,
                                static_cast<AVPacketSideDataType>(entry.type), entry.data.size(), 0);
    if (data == nullptr) throw std::bad_alloc();
    if (!entry.data.empty()) std::memcpy(data->data, entry.data.data(), entry.data.size());
  }
#endif
  return codec;
}

}  // namespace atelier::media
