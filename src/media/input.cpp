#include "input.h"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <regex>
#include <span>
#include <string_view>
#include <utility>

#include "atelier/base/checked_cast.h"
#include "atelier/base/file_status.h"
#include "atelier/base/text.h"
#include "atelier/media/picture_row.h"
#include "compat.h"
#include "input_io.h"
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

std::string first_bytes(FileReader& file) {
  std::string head(4096, '\0');
  const std::ptrdiff_t got = file.read(0, std::as_writable_bytes(std::span(head)));
  file.throw_if_failed();
  head.resize(static_cast<std::size_t>(got));
  return head;
}

/// Throws unless path is a readable regular file with something in it.
void check_regular_file(const fs::path& path) {
  const FileStatus status = file_status(path);
  if (status.kind == FileStatus::Kind::missing) {
    static const std::regex protocol("^[A-Za-z][A-Za-z0-9+.-]*[:,].*");
    if (std::regex_match(path.string(), protocol) && path.string().find(':') != std::string::npos)
      throw UsageError(concat("cannot read ", quoted(path)), "it is no local file", only_local);
    if (status.error_number != ENOENT) throw_unreadable(path, status.error_number);
    throw UsageError(concat("cannot read ", quoted(path)), "no such file", "Check its name");
  }
  if (status.kind == FileStatus::Kind::folder)
    throw UsageError(concat("cannot read ", quoted(path)), "it is a folder");
  if (status.kind == FileStatus::Kind::other)
    throw UsageError(concat("cannot read ", quoted(path)), "it is no regular file",
                     "Save it to a file first");
  if (status.size_bytes == 0)
    throw UsageError(concat(quoted(path), " is empty"), "", "Check that the file is whole");
}

/// The demuxer that FFmpeg would choose by content and name, or null.
const AVInputFormat* probe(InputFile& file) {
  const AVInputFormat* format = nullptr;
  const std::string url = file_url(file.reader.path());
  const int result = av_probe_input_buffer2(file.io.get(), &format, url.c_str(), nullptr, 0, 0);
  file.reader.throw_if_failed();
  return result < 0 ? nullptr : format;
}

struct CheckedFile {
  std::unique_ptr<InputFile> file;
  const AVInputFormat& format;
};

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

/// The file, and the demuxer to read it with. Throws UsageError for what is refused.
CheckedFile open_checked(const fs::path& path) {
  check_regular_file(path);
  auto file = std::make_unique<InputFile>(path);
  const std::string head = first_bytes(file->reader);
  const AVInputFormat* format = probe(*file);
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
  return {std::move(file), *format};
}

}  // namespace

bool is_picture_format(const AVInputFormat& format) {
  const std::string_view name(format.name);
  return name.ends_with("_pipe") || in_list(name, "image2");
}

InputPtr open_file(const fs::path& path) {
  auto [file, format] = open_checked(path);
  Options options;
  options.set("protocol_whitelist", "none");  // FFmpeg itself opens nothing
  options.set("enable_drefs", "0");
  options.set("use_absolute_path", "0");
  options.set("scan_all_pmts", "1");
  if (in_list(format.name, "image2")) options.set("pattern_type", "none");
  int result = 0;
  InputPtr input = open_demuxer(std::move(file), format, options, result);
  if (!input) {
    FileReader again(path);
    const std::string kind = rare_picture_kind(first_bytes(again));
    if (!kind.empty()) throw_rare_kind(quoted(path), kind, av_error_text(result));
    throw UsageError(concat("cannot read ", quoted(path), " as ", format.long_name), av_error_text(result),
                     "Check that the file is whole");
  }
  if (compat::is_in_tiles(*input))
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
  while (num_pictures < 2 && read_frame(*input, *packet) >= 0) {
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
  const int found = find_streams(*input);
  if (found < 0) throw UsageError(concat("cannot read ", quoted(path)), av_error_text(found));
  return input;
}

bool begins_like_picture(const fs::path& path) {
  try {
    FileReader file(path);
    return has_picture_signature(first_bytes(file));
  } catch (const UsageError&) {
    return false;
  }
}

bool is_single_picture(const fs::path& path) {
  const AVInputFormat& format = open_checked(path).format;
  return is_picture_format(format) && !holds_several_pictures(path, format);
}

InputPtr open_input_again(const fs::path& path) {
  try {
    return open_input(path);
  } catch (const UsageError&) {
    throw_gone(path);
  }
}

void throw_gone(const fs::path& path) {
  const int error_number = file_status(path).error_number;
  throw JobError(concat(quoted(path), " can no longer be read"),
                 error_number != 0 ? errno_text(error_number) : "it has changed since the job began",
                 "See that it is there and whole, then run the same command again");
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
