#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "atelier/base/file_reader.h"
#include "libav.h"

namespace atelier::media {

/// Frees an AVIOContext of make_io, which avio_close must never see.
struct IoCloser {
  void operator()(AVIOContext* io) const noexcept;
};
using IoPtr = std::unique_ptr<AVIOContext, IoCloser>;

/// FFmpeg reads and seeks in file, which must outlive it.
IoPtr make_io(FileReader& file);

/// A file below a demuxer: AVFormatContext::opaque of every input of ours, which owns it.
struct InputFile {
  explicit InputFile(const std::filesystem::path& path) : reader(path), io(make_io(reader)) {}

  FileReader reader;
  IoPtr io;
};

/// What FFmpeg calls a file: an absolute path, which it never takes for a protocol.
std::string file_url(const std::filesystem::path& path);

/// avformat_open_input on file, from which alone the demuxer reads. Null, and FFmpeg's error in result, where
/// it refuses. Throws JobError as check_storage does.
InputPtr open_demuxer(std::unique_ptr<InputFile> file, const AVInputFormat& format, Options& options,
                      int& result);

/// Throws JobError where the storage failed below input. Demuxers take that for damage or for the end and go
/// on, so it is asked before anything is concluded from what they give.
void check_storage(const AVFormatContext& input);

/// av_read_frame, then check_storage.
int read_frame(AVFormatContext& input, AVPacket& packet);
/// avformat_find_stream_info, then check_storage.
int find_streams(AVFormatContext& input);
/// av_seek_frame to a keyframe at or before pts_ticks, then check_storage.
int seek_back(AVFormatContext& input, int stream_index, std::int64_t pts_ticks);

}  // namespace atelier::media
