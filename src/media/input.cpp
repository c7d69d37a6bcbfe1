#include "input.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <regex>
#include <string_view>

#include "atelier/base/checked_cast.h"
#include "atelier/base/handle.h"
#include "atelier/base/text.h"
#include "atelier/media/picture_row.h"
#include "compat.h"
#include "picture_kind.h"

namespace atelier::media {
namespace fs = std::filesystem;
namespace {

constexpr const char* only_local = "Only local files are read; download or copy it first";

std::string quoted(const fs::path& path) {
  return concat("'", path.string(), "'");
}

bool in_list(std::string_view names, std::string_view wanted) {
  for (const std::string& name : split(names, ','))
    if (name == wanted) return true;
  return false;
}

/// Demuxers that open other files or hosts, or run a script.
bool is_playlist_format(const AVInputFormat& format) {
  for (const char* name : {"hls", "applehttp", "dash", "webm_dash_manifest", "concat", "sdp", "rtsp", "rtp",
                           "sap", "imf", "vapoursynth", "avisynth", "vobsub", "libopenmpt", "mpl2"})
    if (in_list(format.name, name)) return true;
  return false;
}

/// Demuxers that show text as a picture.
bool is_text_format(const AVInputFormat& format) {
  for (const char* name : {"tty", "bin", "xbin", "adf", "idf"})
    if (in_list(format.name, name)) return true;
  return false;
}

/// What playlists of any kind begin with.
bool begins_like_playlist(std::string_view head) {
  while (!head.empty() && (head.front() == '\xEF' || head.front() == '\xBB' || head.front() == '\xBF' ||
                           std::isspace(static_cast<unsigned char>(head.front())) != 0))
    head.remove_prefix(1);
  for (const std::string_view start : {"#EXTM3U", "ffconcat", "[playlist]", "v=0", "RTSPtext", "SMILtext"})
    if (head.starts_with(start)) return true;
  return head.find("<MPD") != std::string_view::npos ||
         head.find("<SmoothStreamingMedia") != std::string_view::npos ||
         head.find("<smil") != std::string_view::npos || head.find("<asx") != std::string_view::npos ||
         head.find("<playlist") != std::string_view::npos;
}

bool is_text(std::string_view head) {
  return std::none_of(head.begin(), head.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte == 0x7F ||
           (byte < 0x20 && byte != '\n' && byte != '\r' && byte != '\t' && byte != '\f' && byte != 0x1B);
  });
}

std::string first_bytes(const fs::path& path) {
  const FileHandle file(std::fopen(path.c_str(), "rb"));
  if (!file) throw UsageError(concat("cannot read ", quoted(path)), errno_text(errno));
  std::string head(4096, '\0');
  head.resize(std::fread(head.data(), 1, head.size(), file.get()));
  return head;
}

/// Throws unless path is a readable regular file with something in it.
void check_regular_file(const fs::path& path) {
  std::error_code failed;
  const fs::file_status status = fs::status(path, failed);
  if (!fs::exists(status)) {
    static const std::regex protocol("^[A-Za-z][A-Za-z0-9+.-]*[:,].*");
    if (std::regex_match(path.string(), protocol) && path.string().find(':') != std::string::npos)
      throw UsageError(concat("cannot read ", quoted(path)), "it is no local file", only_local);
    throw UsageError(concat("cannot read ", quoted(path)), "no such file", "Check its name");
  }
  if (fs::is_directory(status)) throw UsageError(concat("cannot read ", quoted(path)), "it is a folder");
  if (!fs::is_regular_file(status))
    throw UsageError(concat("cannot read ", quoted(path)), "it is no regular file",
                     "Save it to a file first");
  if (fs::file_size(path, failed) == 0 && !failed)
    throw UsageError(concat(quoted(path), " is empty"), "", "Check that the file is whole");
}

/// An absolute path begins with '/', which FFmpeg never takes for a protocol.
std::string safe_url(const fs::path& path) {
  return fs::absolute(path).string();
}

struct IoCloser {
  void operator()(AVIOContext* io) const noexcept { avio_closep(&io); }
};

/// The demuxer that FFmpeg would choose by content and name, or null.
const AVInputFormat* probe(const fs::path& path) {
  Options options;
  options.set("protocol_whitelist", "file");
  AVIOContext* raw = nullptr;
  const std::string url = safe_url(path);
  const int opened = avio_open2(&raw, url.c_str(), AVIO_FLAG_READ, nullptr, options.get());
  if (opened < 0) throw UsageError(concat("cannot read ", quoted(path)), av_error_text(opened));
  const std::unique_ptr<AVIOContext, IoCloser> io(raw);
  const AVInputFormat* format = nullptr;
  if (av_probe_input_buffer2(raw, &format, url.c_str(), nullptr, 0, 0) < 0) return nullptr;
  return format;
}

/// The demuxer of single pictures whose content begins like head, or null.
const AVInputFormat* picture_format_of(std::string head) {
  AVProbeData content{};
  content.filename = "";
  content.buf_size = checked_cast<int>(head.size());
  head.append(AVPROBE_PADDING_SIZE, '\0');
  content.buf = reinterpret_cast<unsigned char*>(head.data());
  const AVInputFormat* format = av_probe_input_format(&content, 1);
  return format != nullptr && is_picture_format(*format) ? format : nullptr;
}

/// The demuxer to read path with. Throws UsageError for what is refused.
const AVInputFormat& checked_format(const fs::path& path) {
  check_regular_file(path);
  const std::string head = first_bytes(path);
  const AVInputFormat* format = probe(path);
  // A picture's ending counts for more with FFmpeg than a long header, and may be wrong.
  if (format != nullptr && in_list(format->name, "image2"))
    if (const AVInputFormat* by_content = picture_format_of(head)) format = by_content;
  const bool text = is_text(head);
  if ((format != nullptr && is_playlist_format(*format)) || (text && begins_like_playlist(head)))
    throw UsageError(concat(quoted(path), " is a playlist"), "it only names other files",
                     "Give the video file itself");
  if ((format != nullptr && is_text_format(*format)) ||
      (text && (format == nullptr || !is_picture_format(*format) || in_list(format->name, "image2"))))
    throw UsageError(concat(quoted(path), " is a text file"), {}, "Give a video or a picture");
  if (format == nullptr)
    throw UsageError(concat("cannot read ", quoted(path)), "FFmpeg knows no format like it",
                     "Give a video or a picture");
  return *format;
}

/// Refuses whatever a demuxer wants to open besides the file itself.
int open_only_own_file(AVFormatContext* input, AVIOContext** io, const char* url, int flags, AVDictionary**) {
  if (input->url == nullptr || std::string_view(url) != input->url || (flags & AVIO_FLAG_WRITE) != 0)
    return AVERROR(EPERM);
  Options options;
  options.set("protocol_whitelist", "file");
  return avio_open2(io, url, flags, nullptr, options.get());
}

}  // namespace

bool is_picture_format(const AVInputFormat& format) {
  const std::string_view name(format.name);
  return name.ends_with("_pipe") || in_list(name, "image2");
}

InputPtr open_file(const fs::path& path) {
  const AVInputFormat& format = checked_format(path);
  const std::string url = safe_url(path);
  AVFormatContext* raw = avformat_alloc_context();
  if (raw == nullptr) throw std::bad_alloc();
  raw->io_open = open_only_own_file;
  Options options;
  options.set("protocol_whitelist", "file");
  options.set("enable_drefs", "0");
  options.set("use_absolute_path", "0");
  options.set("scan_all_pmts", "1");
  if (in_list(format.name, "image2")) options.set("pattern_type", "none");
  const int opened = avformat_open_input(&raw, url.c_str(), &format, options.get());
  if (opened < 0) {
    const std::string kind = rare_picture_kind(first_bytes(path));
    if (!kind.empty()) throw_rare_kind(quoted(path), kind, av_error_text(opened));
    throw UsageError(concat("cannot read ", quoted(path), " as ", format.long_name), av_error_text(opened),
                     "Check that the file is whole");
  }
  InputPtr input(raw);
  if (compat::is_in_tiles(*raw))
    throw UsageError(concat(quoted(path), " is a picture in tiles, which are not put together"), "",
                     "Convert it to PNG or JPEG first");
  return input;
}

namespace {

/// True for pictures one after the other in a single file, as cameras and `cat *.jpg` make them.
bool holds_several_pictures(const fs::path& path, const AVInputFormat& format) {
  if (!std::string_view(format.name).ends_with("_pipe")) return false;
  const InputPtr input = open_file(path);
  int num_pictures = 0;
  const PacketPtr packet = make_packet();
  while (num_pictures < 2 && av_read_frame(input.get(), packet.get()) >= 0) {
    // Without a parser a packet is any part of a picture.
    AVCodecParserContext* parser = av_parser_init(input->streams[packet->stream_index]->codecpar->codec_id);
    if (parser == nullptr) return false;
    av_parser_close(parser);
    if (packet->size > 0) ++num_pictures;
    av_packet_unref(packet.get());
  }
  return num_pictures > 1;
}

}  // namespace

InputPtr open_input(const fs::path& path) {
  const std::vector<fs::path> pictures = picture_row(path);
  InputPtr input;
  for (const fs::path& picture : pictures) {
    try {
      input = open_file(picture);
      break;
    } catch (const UsageError&) {
      if (&picture == &pictures.back()) throw;
    }
  }
  if (!input) input = open_file(path);
  const int found = avformat_find_stream_info(input.get(), nullptr);
  if (found < 0) throw UsageError(concat("cannot read ", quoted(path)), av_error_text(found));
  return input;
}

bool begins_like_picture(const fs::path& path) {
  try {
    return has_picture_signature(first_bytes(path));
  } catch (const UsageError&) {
    return false;
  }
}

bool is_single_picture(const fs::path& path) {
  const AVInputFormat& format = checked_format(path);
  return is_picture_format(format) && !holds_several_pictures(path, format);
}

bool is_cover_art(const AVStream& stream) {
  return (stream.disposition & (AV_DISPOSITION_ATTACHED_PIC | AV_DISPOSITION_TIMED_THUMBNAILS)) != 0;
}

int styled_stream(const AVFormatContext& input) {
  for (unsigned i = 0; i < input.nb_streams; ++i)
    if (input.streams[i]->codecpar->codec_type == AVMEDIA_TYPE_VIDEO && !is_cover_art(*input.streams[i]))
      return static_cast<int>(i);
  return -1;
}

void throw_no_video(const AVFormatContext& input, const fs::path& path) {
  bool audio = false;
  bool cover = false;
  for (unsigned i = 0; i < input.nb_streams; ++i) {
    audio = audio || input.streams[i]->codecpar->codec_type == AVMEDIA_TYPE_AUDIO;
    cover = cover || is_cover_art(*input.streams[i]);
  }
  std::string why = audio ? "it holds only sound" : "it holds no video stream";
  if (cover) why += " and a cover picture";
  throw UsageError(concat(quoted(path), " has no video"), why, "Give a video file");
}

}  // namespace atelier::media
