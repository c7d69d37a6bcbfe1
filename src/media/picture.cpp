#include "atelier/media/picture.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <string>

#include "atelier/base/file_status.h"
#include "atelier/base/handle.h"
#include "atelier/base/text.h"
#include "decoder.h"
#include "frame_layout.h"
#include "packet_source.h"
#include "picture_color.h"

namespace atelier::media {
namespace fs = std::filesystem;
namespace {

FramePtr decode_picture(const PicturePacket& picture, const fs::path& path) {
  Decoder decoder(*picture.codec, AVRational{1, 25}, 1, false, max_picture_side_px);
  FramePtr frame = make_frame();
  // A decoder may take the packet and only give its frame when drained; the first fault is the one to tell.
  Decoder::Result result = decoder.send(picture.packet.get());
  const std::string problem = result == Decoder::Result::error ? decoder.problem() : std::string();
  if (problem.empty()) {
    decoder.send(nullptr);
    result = decoder.receive(*frame);
    if (result == Decoder::Result::frame) return frame;
  }
  if (decoder.too_large())
    throw UsageError(concat("picture '", path.string(), "' is too large"),
                     concat("above ", max_picture_side_px, " pixels a side"), "Scale it down first");
  throw UsageError(concat("'", path.string(), "' is no picture that can be read"),
                   problem.empty() ? decoder.problem() : problem, "Give a whole JPEG or PNG file");
}

}  // namespace

Picture read_picture(const fs::path& path) {
  const PicturePacket picture = load_picture(path);
  const FramePtr frame = decode_picture(picture, path);
  const VideoFormat format = format_of(*frame, picture.codec->codec_id);
  Buffer planes(frame_bytes(format));
  copy_samples(*frame, format, tight_planes(format, planes.data()));
  return oriented(to_rgb(format, planes.data()), *frame);
}

void write_png(const fs::path& path, const Picture& picture) {
  const std::string problem = concat("cannot write '", path.string(), "'");
  const AVCodec* codec = avcodec_find_encoder(AV_CODEC_ID_PNG);
  if (codec == nullptr) throw JobError(problem, "FFmpeg has no PNG encoder");
  const CodecContextPtr encoder(avcodec_alloc_context3(codec));
  if (!encoder) throw std::bad_alloc();
  encoder->width = picture.width_px;
  encoder->height = picture.height_px;
  encoder->pix_fmt = AV_PIX_FMT_RGB24;
  encoder->time_base = {1, 25};
  encoder->thread_count = 1;
  encoder->flags |= AV_CODEC_FLAG_BITEXACT;
  check_av(avcodec_open2(encoder.get(), codec, nullptr), problem);
  const FramePtr frame = make_frame();
  frame->format = encoder->pix_fmt;
  frame->width = picture.width_px;
  frame->height = picture.height_px;
  check_av(av_frame_get_buffer(frame.get(), 0), problem);
  const float* in = picture.rgb.data();
  for (int y = 0; y < picture.height_px; ++y) {
    std::uint8_t* row = frame->data[0] + std::ptrdiff_t{y} * frame->linesize[0];
    for (int x = 0; x < 3 * picture.width_px; ++x)
      row[x] = static_cast<std::uint8_t>(std::lround(std::clamp(*in++, 0.0F, 1.0F) * 255.0F));
  }
  check_av(avcodec_send_frame(encoder.get(), frame.get()), problem);
  check_av(avcodec_send_frame(encoder.get(), nullptr), problem);
  const PacketPtr packet = make_packet();
  check_av(avcodec_receive_packet(encoder.get(), packet.get()), problem);
  write_file_once(path,
                  {reinterpret_cast<const std::byte*>(packet->data), static_cast<std::size_t>(packet->size)});
}

std::vector<fs::path> list_pictures(const fs::path& folder) {
  std::vector<fs::path> pictures;
  for (const fs::path& path : regular_files(folder)) {
    std::string end = path.extension().string();
    std::transform(end.begin(), end.end(), end.begin(), [](unsigned char c) { return std::tolower(c); });
    for (const char* known : {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".ppm"})
      if (end == known && path.filename().string().front() != '.') pictures.push_back(path);
  }
  std::sort(pictures.begin(), pictures.end(),
            [](const fs::path& a, const fs::path& b) { return a.filename() < b.filename(); });
  return pictures;
}

}  // namespace atelier::media
