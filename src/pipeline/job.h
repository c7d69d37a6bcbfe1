#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "atelier/base/handle.h"
#include "atelier/media/encoder.h"
#include "atelier/media/input_state.h"
#include "atelier/media/muxer.h"
#include "atelier/media/packet_reader.h"
#include "atelier/media/video_reader.h"
#include "atelier/models/style_engine.h"
#include "atelier/pipeline/run_config.h"
#include "decoding_plan.h"

namespace atelier::pipeline {

/// A job of which all settings and inputs have been checked, and nothing is written yet.
struct Job {
  RunConfig config;
  media::InputState input_state;  ///< before the reader was opened
  media::VideoReader reader;
  media::EncoderConfig encoder;
  models::EngineSpec engine;
  std::string style_pictures;  ///< hash of the pictures and their shares; "none"
  std::int64_t chunk_frames = 0;
  int num_encoders = 1;            ///< chunks that are encoded at the same time; the bits do not depend on it
  bool encode_at_workers = false;  ///< else at the root; the bits do not depend on it
  DecodingPlan decoding = {};      ///< the bits do not depend on it
  std::string start_id;            ///< another for every start
  std::filesystem::path named_output;  ///< as given; config.output is the file behind its links
  std::string log_name;                ///< start of its log files' names
  std::vector<std::string> warnings;
  std::vector<std::string> said_losses = {};  ///< for the muxer, not to be said again

  [[nodiscard]] const media::InputInfo& input() const { return reader.info(); }
};

/// Reads the input's start, the style pictures and the weights; tries the encoder and the output's folder.
/// Throws UsageError for whatever is wrong with them.
Job prepare_job(const RunConfig& config);

struct ReadEngine {
  models::EngineSpec spec;
  std::string style_pictures;  ///< as in Job
};
/// Weights as --model names them, else those that ship with the engine, and the pictures of --style.
ReadEngine read_engine(const RunConfig& config);

/// The muxer of the output.
media::MuxerConfig muxer_config(const Job& job);

/// To read the same frames as job.reader does.
media::PacketReaderConfig packet_reader_config(const Job& job);

}  // namespace atelier::pipeline
