#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "atelier/frame/segment.h"
#include "atelier/media/encoder.h"
#include "atelier/media/input_info.h"
#include "atelier/media/input_state.h"

namespace atelier::media {

struct MuxerConfig {
  std::filesystem::path
      output;  ///< final name: .mp4 .mov .mkv .webm, or any that FFmpeg can hold the codec in
  std::filesystem::path
      scratch;           ///< local folder, in a new folder of which the file is muxed; empty: $TMPDIR or /tmp
  std::string start_id;  ///< OUT is written as OUT.<start-id>.part and renamed
  InputInfo input;       ///< other streams, chapters and metadata are copied from input.path
  std::optional<InputState> input_state = {};  ///< as it must still be when all is read
  EncoderConfig encoder;
  /// As in VideoReaderConfig: copied streams and chapters are cut alike, and all times move so that the first
  /// frame stands where the uncut video's first frame stood.
  double start_s = 0;
  double duration_s = 0;
  /// The name whose ending chooses the container; empty: that of output.
  std::filesystem::path named = {};
  std::vector<std::string> said = {};  ///< Rehearsal::said: not to be said again
};

/// What can be known before the job of what the output cannot hold.
struct Rehearsal {
  std::vector<std::string> warnings;  ///< a sentence each
  std::vector<std::string> said;      ///< for MuxerConfig
  std::vector<int> known_losses;      ///< for EncoderConfig
};

/// Writes the styled segments, in order, and every other stream of the input packet for packet.
///
/// What is before zero and cannot be (Matroska: any stream; MP4: the video) moves all streams alike.
/// dts: packet k gets the (k - d)-th smallest pts of the video, d = encoder.reorder_frames; the first d
/// extrapolate by the smallest step of the first segment.
class Muxer {
 public:
  /// Opens the input a second time for the other streams. Throws UsageError where the output's
  /// container is unknown, or scratch or the output's folder is certain to be too small.
  explicit Muxer(const MuxerConfig& config);
  ~Muxer();

  /// Segments in the order of their chunks. Throws JobError when extradata differ or the disk is full.
  void write(const Segment& segment);
  /// Writes the rest of the other streams and the trailer, copies the file front to back to
  /// OUT.<start-id>.part, closes it and renames it to OUT. Throws JobError, and leaves nothing under the
  /// output's name, where the input has changed since input_state.
  void close();
  /// What the container could not hold, a sentence each; nothing that config.said has.
  [[nodiscard]] std::vector<std::string> warnings() const;

  /// Encodes a frame with the side data of the input's first, puts it into a file in scratch together with
  /// the first packets of the other streams, and looks at what that file lacks. Nothing of it stays.
  static Rehearsal rehearse(const MuxerConfig& config);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Removes what a start that was killed may have left: OUT.<start-id>.part, and the folder in scratch (as in
/// MuxerConfig) in which it muxed. What cannot be removed stays.
void remove_leftovers(const std::filesystem::path& output, const std::filesystem::path& scratch,
                      const std::string& start_id);

/// Makes and removes OUT.<start-id>.part. Throws UsageError where that is impossible or where OUT is there
/// and cannot be replaced, JobError where it may be possible later.
void check_output_writable(const std::filesystem::path& output, const std::string& start_id);

/// Versions of libavformat, libavcodec …, for the record.
std::string library_versions();

/// FFmpeg's own log lines go to the log file (debug), never to stderr. Call once, first.
void quiet_libraries();

}  // namespace atelier::media
