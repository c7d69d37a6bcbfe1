#include "file_check.h"

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "atelier/base/error.h"
#include "atelier/base/handle.h"
#include "atelier/base/text.h"

namespace atelier::pipeline {
namespace {

namespace fs = std::filesystem;
using NamedFile = std::pair<std::string, fs::path>;

bool is_same_file(const fs::path& a, const fs::path& b) {
  std::error_code error;
  if (fs::exists(a, error) && fs::exists(b, error)) return fs::equivalent(a, b, error);
  return fs::weakly_canonical(a, error) == fs::weakly_canonical(b, error);
}

void check_differ(const NamedFile& written, const NamedFile& other) {
  if (written.second.empty() || other.second.empty() || !is_same_file(written.second, other.second)) return;
  throw UsageError(
      concat(written.first, " and ", other.first, " are the same file ('", written.second.string(), "')"), "",
      concat("Give ", written.first, " another name"));
}

}  // namespace

void check_written_files(const RunConfig& config) {
  std::vector<NamedFile> read{{"--input", config.input}, {"--model", config.model}};
  for (const fs::path& style : config.styles) read.emplace_back("--style", style);
  const NamedFile output{"--output", config.output};
  const NamedFile record{"--record", config.preview_s ? fs::path() : config.record};
  for (const NamedFile& file : read) {
    check_differ(output, file);
    check_differ(record, file);
  }
  check_differ(record, output);
}

void check_preview_name(const std::filesystem::path& output) {
  if (output.extension() != ".png" && output.extension() != ".PNG")
    throw UsageError(concat("output '", output.string(), "' is no name for a preview"),
                     "--preview writes a PNG", "Let the name end in .png");
}

void check_stage_folder(const RunConfig& config) {
  const bool is_given = !config.stage_dir.empty();
  try {
    const TemporaryFolder trial(is_given ? config.stage_dir : temporary_root(), "atelier");
  } catch (const JobError&) {
    throw UsageError(concat("the output cannot be put together in '",
                            (is_given ? config.stage_dir : temporary_root()).string(), "'"),
                     "no folder can be made there",
                     is_given ? "Name another with --stage-dir" : "Set TMPDIR or --stage-dir to another");
  }
}

}  // namespace atelier::pipeline
