#pragma once

// What encoder and muxer tests share: a whole job without styling, and what ffprobe says of its result.

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "atelier/media/encoder.h"
#include "atelier/media/muxer.h"
#include "atelier/media/video_reader.h"
#include "media/ffmpeg_tools.h"

namespace atelier::test {

struct TranscodeSettings {
  media::EncodeRequest request{.codec = "", .preset = "", .crf = {}, .options = {}, .pixel_format = ""};
  std::int64_t chunk_frames = 12;
  double start_s = 0;
  double duration_s = 0;
};

struct Transcoded {
  media::InputInfo info;
  media::EncoderConfig encoder;
  std::vector<std::string> warnings;  ///< of the encoder, then of the muxer
  std::int64_t num_frames = 0;
};

/// Decodes, encodes in chunks and muxes.
inline Transcoded transcode(const std::filesystem::path& input, const std::filesystem::path& output,
                            const TranscodeSettings& settings = {}) {
  media::quiet_libraries();
  media::VideoReaderConfig reader_config;
  reader_config.path = input;
  reader_config.start_s = settings.start_s;
  reader_config.duration_s = settings.duration_s;
  media::VideoReader reader(reader_config);
  Transcoded out;
  out.info = reader.info();
  out.encoder = media::resolve_encoder(settings.request, out.info, output, out.warnings);
  media::MuxerConfig config;
  config.output = output;
  config.scratch = output.parent_path();
  config.start_id = "test";
  config.input = out.info;
  config.encoder = out.encoder;
  config.start_s = settings.start_s;
  config.duration_s = settings.duration_s;
  media::Muxer muxer(config);
  std::optional<FramePlanes> frame = reader.read();
  for (std::int64_t chunk = 0; frame; ++chunk) {
    media::SegmentEncoder encoder(out.encoder, chunk, out.num_frames);
    for (std::int64_t k = 0; k < settings.chunk_frames && frame; ++k, ++out.num_frames) {
      encoder.write(*frame);
      frame = reader.read();
    }
    muxer.write(encoder.finish());
  }
  muxer.close();
  for (const std::string& warning : muxer.warnings()) out.warnings.push_back(warning);
  return out;
}

/// pts_time of a stream's packets, in seconds, ascending.
inline std::vector<double> packet_times_s(const std::filesystem::path& path, const std::string& stream) {
  std::vector<double> times;
  for (const std::string& line :
       ffprobe_lines("-select_streams " + stream + " -show_entries packet=pts_time -of csv=p=0 \"" +
                     path.string() + "\""))
    times.push_back(std::stod(line));
  std::sort(times.begin(), times.end());
  return times;
}

/// Time of each frame that ffprobe lists, in seconds: not those that an edit list cuts away.
inline std::vector<double> frame_times_s(const std::filesystem::path& path, const std::string& stream) {
  std::vector<double> times;
  for (const std::string& line :
       ffprobe_lines("-select_streams " + stream +
                     " -show_entries frame=best_effort_timestamp_time -of csv=p=0 \"" + path.string() + "\""))
    times.push_back(std::stod(line));
  return times;
}

/// MD5 of each packet's bytes of a stream, in the file's order.
inline std::vector<std::string> packet_hashes(const std::filesystem::path& path, const std::string& stream) {
  std::vector<std::string> hashes;
  for (const std::string& line :
       ffprobe_lines("-select_streams " + stream + " -show_data_hash md5 -show_entries packet=data_hash" +
                     " -of compact=p=0:nk=1 \"" + path.string() + "\""))
    hashes.push_back(line.substr(0, line.find('|')));
  return hashes;
}

/// MD5 of each decoded frame of a stream.
inline std::vector<std::string> frame_hashes(const std::filesystem::path& path, const std::string& stream,
                                             const std::string& pixel_format) {
  std::vector<std::string> hashes;
  const CommandResult result = run_command(
      "ffmpeg -nostdin -v error -flags bitexact -i \"" + path.string() + "\" -map 0:" + stream +
      " -vsync passthrough -sws_flags bitexact+accurate_rnd -pix_fmt " + pixel_format + " -f framemd5 -");
  for (const std::string& line : split(result.output, '\n'))
    if (!line.empty() && line.front() != '#') hashes.push_back(line.substr(line.rfind(',') + 1));
  return hashes;
}

/// What `ffmpeg -v error -i PATH -f null -` says: nothing where the file is sound.
inline std::string complaints(const std::filesystem::path& path) {
  return run_command("ffmpeg -nostdin -v error -i \"" + path.string() +
                     "\" -map 0:v -map 0:a? -f null - 2>&1")
      .output;
}

/// Entries of the matching streams or frames, a line each: "codec_name=h264|width=64".
inline std::string stream_entries(const std::filesystem::path& path, const std::string& stream,
                                  const std::string& entries) {
  std::vector<std::string> lines = ffprobe_lines("-select_streams " + stream + " -show_entries " + entries +
                                                 " -of compact=p=0 \"" + path.string() + "\"");
  // A bar stands where other side data are left out.
  for (std::string& line : lines) {
    while (line.ends_with('|')) line.pop_back();
    line.erase(0, line.find_first_not_of('|'));
  }
  return join(lines, "\n");
}

}  // namespace atelier::test
