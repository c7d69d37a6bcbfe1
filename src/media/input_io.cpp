#include "input_io.h"

#include <cerrno>
#include <new>
#include <span>
#include <string_view>
#include <utility>

namespace atelier::media {
namespace {

/// FFmpeg's own size for files: a larger one would read more than is wanted around each seek.
constexpr int buffer_bytes = 32768;

/// AVIOContext::opaque.
struct Cursor {
  FileReader& file;
  std::int64_t offset = 0;
};

int read_bytes(void* opaque, std::uint8_t* data, int size) {
  auto& cursor = *static_cast<Cursor*>(opaque);
  const auto bytes = std::as_writable_bytes(std::span(data, static_cast<std::size_t>(size)));
  try {
    const std::ptrdiff_t got = cursor.file.read(cursor.offset, bytes);
    // FFmpeg asks again without end for EAGAIN, and the failure that counts is kept by the file.
    if (got < 0) return AVERROR(EIO);
    cursor.offset += got;
    return got == 0 ? AVERROR_EOF : static_cast<int>(got);
  } catch (const std::bad_alloc&) {
    return AVERROR(ENOMEM);
  }
}

std::int64_t seek_to(void* opaque, std::int64_t offset, int whence) {
  auto& cursor = *static_cast<Cursor*>(opaque);
  switch (whence & ~AVSEEK_FORCE) {
    case AVSEEK_SIZE:
      return cursor.file.size_bytes();
    case SEEK_SET:
      break;
    case SEEK_CUR:
      offset += cursor.offset;
      break;
    case SEEK_END:
      offset += cursor.file.size_bytes();
      break;
    default:
      return AVERROR(EINVAL);
  }
  if (offset < 0) return AVERROR(EINVAL);
  return cursor.offset = offset;
}

FileReader& reader_of(const AVFormatContext& input) {
  return static_cast<InputFile*>(input.opaque)->reader;
}

/// For demuxers that open the file themselves. Refuses whatever else they want to open.
int open_own_file(AVFormatContext* input, AVIOContext** io, const char* url, int flags, AVDictionary**) {
  if (input->url == nullptr || std::string_view(url) != input->url || (flags & AVIO_FLAG_WRITE) != 0)
    return AVERROR(EPERM);
  try {
    *io = make_io(reader_of(*input)).release();
  } catch (const std::bad_alloc&) {
    return AVERROR(ENOMEM);
  }
  return 0;
}

int close_own_file(AVFormatContext*, AVIOContext* io) {
  IoCloser()(io);
  return 0;
}

}  // namespace

void IoCloser::operator()(AVIOContext* io) const noexcept {
  delete static_cast<Cursor*>(io->opaque);
  av_freep(&io->buffer);
  avio_context_free(&io);
}

void AvInputCloser::operator()(AVFormatContext* input) const noexcept {
  const std::unique_ptr<InputFile> file(static_cast<InputFile*>(input->opaque));
  avformat_close_input(&input);
}

IoPtr make_io(FileReader& file) {
  std::unique_ptr<Cursor> cursor(new Cursor{file});
  auto* buffer = static_cast<unsigned char*>(av_malloc(buffer_bytes));
  if (buffer == nullptr) throw std::bad_alloc();
  IoPtr io(avio_alloc_context(buffer, buffer_bytes, 0, cursor.get(), read_bytes, nullptr, seek_to));
  if (!io) {
    av_free(buffer);
    throw std::bad_alloc();
  }
  static_cast<void>(cursor.release());
  return io;
}

std::string file_url(const std::filesystem::path& path) {
  return std::filesystem::absolute(path).string();
}

InputPtr open_demuxer(std::unique_ptr<InputFile> file, const AVInputFormat& format, Options& options,
                      int& result) {
  AVFormatContext* raw = avformat_alloc_context();
  if (raw == nullptr) throw std::bad_alloc();
  raw->opaque = file.get();
  raw->io_open = open_own_file;
  raw->io_close2 = close_own_file;
  if ((format.flags & AVFMT_NOFILE) == 0) raw->pb = file->io.get();
  result = avformat_open_input(&raw, file_url(file->reader.path()).c_str(), &format, options.get());
  if (result < 0) {
    file->reader.throw_if_failed();
    return nullptr;
  }
  InputPtr input(raw);
  static_cast<void>(file.release());
  check_storage(*input);
  return input;
}

void check_storage(const AVFormatContext& input) {
  reader_of(input).throw_if_failed();
}

int read_frame(AVFormatContext& input, AVPacket& packet) {
  const int result = av_read_frame(&input, &packet);
  check_storage(input);
  return result;
}

int find_streams(AVFormatContext& input) {
  const int result = avformat_find_stream_info(&input, nullptr);
  check_storage(input);
  return result;
}

int seek_back(AVFormatContext& input, int stream_index, std::int64_t pts_ticks) {
  const int result = av_seek_frame(&input, stream_index, pts_ticks, AVSEEK_FLAG_BACKWARD);
  check_storage(input);
  return result;
}

}  // namespace atelier::media
