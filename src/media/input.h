#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "libav.h"

namespace atelier::media {

/// Opens a local file that reaches nothing but itself, and finds its streams. For a picture row (see
/// picture_row) it opens the first readable picture.
///
/// Throws UsageError with one sentence for what is no media file: no such file, an empty or a text file, a
/// playlist, a protocol name such as http: or concat:, a folder without readable pictures. Throws JobError
/// where the storage fails.
InputPtr open_input(const std::filesystem::path& path);

/// The same for what was read before: JobError where it is no longer there.
InputPtr open_input_again(const std::filesystem::path& path);

/// Throws JobError: path was there, and right, when the job began.
[[noreturn]] void throw_gone(const std::filesystem::path& path);

/// The same for one regular file, without looking into its packets: streams may lack their parameters.
InputPtr open_file(const std::filesystem::path& path);

/// True for a file of one still picture. Throws UsageError as open_input.
bool is_single_picture(const std::filesystem::path& path);

/// True for a file that begins as pictures of the common kinds do; false too for what cannot be read.
bool begins_like_picture(const std::filesystem::path& path);

/// True for a demuxer of single pictures.
bool is_picture_format(const AVInputFormat& format);

/// Index of the first video stream that is no cover art, or -1; choose_styled_stream finds that of a video.
int styled_stream(const AVFormatContext& input);

/// True for cover art and thumbnails.
bool is_cover_art(const AVStream& stream);

/// Throws UsageError: 'path' has no video stream (what it has instead).
[[noreturn]] void throw_no_video(const AVFormatContext& input, const std::filesystem::path& path);

}  // namespace atelier::media
