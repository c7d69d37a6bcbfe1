// resolve_encoder: from what the user asked for to a config that is known to work.
#include <algorithm>

#include "atelier/base/text.h"
#include "atelier/media/encoder.h"
#include "encoder_context.h"
#include "encoder_defaults.h"
#include "encoder_pixels.h"
#include "output_format.h"

namespace atelier::media {
namespace {

std::string default_codec(const AVOutputFormat& format) {
  if (std::string_view(format.name) == "webm") return "vp9";
  const bool holds_h264 = avformat_query_codec(&format, AV_CODEC_ID_H264, FF_COMPLIANCE_NORMAL) == 1;
  if (holds_h264 || std::string_view(format.name) == "mpegts") return "x264";
  const AVCodecDescriptor* descriptor = avcodec_descriptor_get(format.video_codec);
  if (descriptor == nullptr)
    throw UsageError(concat("output container ", container_name(format), " holds no video"), {},
                     "Use .mp4, .mov, .mkv or .webm");
  return descriptor->name;
}

/// RGB has an x264 of its own.
const AVCodec& rgb_twin(const AVCodec& codec, const EncodeRequest& request, const InputInfo& input) {
  const bool wants_rgb = request.pixel_format.empty()
                             ? input.format.model == ColorModel::rgb
                             : request.pixel_format.find("rgb") != std::string::npos ||
                                   request.pixel_format.find("bgr") != std::string::npos;
  const AVCodec* twin = avcodec_find_encoder_by_name("libx264rgb");
  return std::string_view(codec.name) == "libx264" && wants_rgb && twin != nullptr ? *twin : codec;
}

/// The largest number of packets by which a packet precedes its place in pts order.
int reorder_depth(const Segment& segment) {
  std::vector<std::int64_t> sorted;
  for (const SegmentPacket& packet : segment.packets) sorted.push_back(packet.pts_ticks);
  std::sort(sorted.begin(), sorted.end());
  std::ptrdiff_t depth = 0;
  for (std::ptrdiff_t k = 0; k < std::ssize(segment.packets); ++k) {
    const std::int64_t pts = segment.packets[static_cast<std::size_t>(k)].pts_ticks;
    const std::ptrdiff_t place = std::lower_bound(sorted.begin(), sorted.end(), pts) - sorted.begin();
    depth = std::max(depth, k - place);
  }
  return static_cast<int>(depth);
}

/// Encodes a few frames and begins a file; also sets reorder_frames.
void try_encoder(const AVOutputFormat& format, EncoderConfig& config) {
  const LogCapture log;
  try {
    const EncoderFacts facts = encoder_facts(config);
    const int has_b_frames = facts.has_b_frames;
    if (!header_works(format, *facts.parameters))
      throw UsageError(
          concat(container_name(format), " cannot hold ", avcodec_get_name(facts.parameters->codec_id)),
          LogCapture::first_problem(), "Use another --codec, or .mkv");
    SegmentEncoder encoder(config, 0, 0);
    constexpr int num_frames = 8;
    for (int i = 0; i < num_frames; ++i) encoder.write(trial_frame(config.input, i));
    config.reorder_frames = std::max(has_b_frames, reorder_depth(encoder.finish()));
    // x265 does not tell; its pyramid is two deep.
    if (config.encoder == "libx265") config.reorder_frames = std::max(config.reorder_frames, 2);
  } catch (const JobError& error) {
    const std::string line = LogCapture::first_problem();
    throw UsageError(concat("encoder ", config.encoder, " cannot encode this video"),
                     line.empty() ? error.what() : line, "Check --codec and --encoder-options");
  }
  for (const char* complaint : {"Error parsing option", "Unknown option", "Invalid value for"}) {
    const std::string line = LogCapture::line_with(complaint);
    if (!line.empty())
      throw UsageError(concat("encoder ", config.encoder, " refused an option"), line,
                       "Check --encoder-options");
  }
}

}  // namespace

EncoderConfig resolve_encoder(const EncodeRequest& request, const InputInfo& input,
                              const std::filesystem::path& output, std::vector<std::string>& warnings) {
  const AVOutputFormat& format = output_format(output);
  const std::string wanted = request.codec.empty() ? default_codec(format) : request.codec;
  const AVCodec& codec = rgb_twin(find_encoder(wanted), request, input);
  EncoderConfig config;
  config.encoder = codec.name;
  config.input = input.format;
  config.time_base = input.time_base;
  config.frame_rate = input.frame_rate;
  config.sample_aspect = input.sample_aspect;
  config.color_primaries = input.color_primaries;
  config.color_transfer = input.color_transfer;
  config.color_matrix_tag = input.color_matrix_tag;
  config.color_range_tag = input.color_range_tag;
  config.chroma_location_tag = input.chroma_location_tag;
  config.field_order = input.field_order;
  config.global_header = (format.flags & AVFMT_GLOBALHEADER) != 0;
  config.stream_side_data = input.stream_side_data;
  choose_pixel_format(codec, request.pixel_format, config, warnings);
  choose_options(codec, request, input.frame_timecodes, config);
  if (config.field_order > AV_FIELD_PROGRESSIVE && config.encoder == "libx265")
    warnings.emplace_back(
        "Encoder libx265 codes whole frames; the field order is kept where the container has a place for "
        "it.");
  try_encoder(format, config);
  return config;
}

}  // namespace atelier::media
