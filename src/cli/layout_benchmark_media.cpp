#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <span>
#include <system_error>

#include "atelier/base/error.h"
#include "atelier/base/handle.h"
#include "atelier/base/log.h"
#include "atelier/base/text.h"
#include "atelier/launch/process.h"
#include "atelier/launch/ranks_command.h"
#include "layout_benchmark.h"

namespace atelier::cli {
namespace {

namespace fs = std::filesystem;
using planning::LayoutRun;
using planning::LayoutSettings;
using planning::Scaling;

// The last line by which atelier said what went wrong, else what the launcher said last.
std::string error_in(const fs::path& log) {
  std::ifstream in(log);
  std::string found;
  const std::string mark = "atelier: error: ";
  for (std::string line; std::getline(in, line);) {
    const std::size_t at = line.find(mark);
    if (at != std::string::npos) found = line.substr(at + mark.size());
  }
  return without_period(found.empty() ? launch::last_lines(log, 3) : found);
}

void write_text(const fs::path& path, const std::string& text) {
  write_file_once(path, std::as_bytes(std::span(text)));
}

class Benchmark {
 public:
  explicit Benchmark(const LayoutBenchmarkConfig& config) : config_(config) {
    std::error_code error;
    fs::create_directories(config.results / "jobs", error);
    if (!fs::is_directory(config.results / "jobs", error))
      throw UsageError(concat("results folder '", config.results.string(), "' cannot be made"),
                       error.message(), "Name another one with --results");
  }

  std::string run() {
    for (int round = 1 - config_.num_warm_ups; round <= config_.num_repeats; ++round) {
      for (const LayoutSettings& settings : all_settings()) {
        if (given_up(settings)) continue;
        run_one(settings, round);
        if (round >= 1) write_results();
      }
    }
    if (!failures_.empty()) {
      throw JobError(concat(failures_.size(), failures_.size() == 1 ? " layout" : " layouts", " failed"),
                     join(failures_, "; "), concat("The logs are in ", (config_.results / "jobs").string()));
    }
    return planning::layouts_markdown(planning::summarise(runs_), config_.context);
  }

 private:
  [[nodiscard]] std::vector<LayoutSettings> all_settings() const {
    std::vector<LayoutSettings> all;
    std::vector<std::int64_t> lengths = config_.chunk_frames;
    if (lengths.empty()) lengths.push_back(0);
    for (const Scaling scaling : config_.scalings)
      for (const std::int64_t length : lengths)
        for (const planning::Layout& layout : config_.layouts) all.push_back({layout, scaling, length});
    return all;
  }

  // A job that failed once is not tried again.
  [[nodiscard]] bool given_up(const LayoutSettings& settings) const {
    return std::ranges::find(failed_, settings) != failed_.end();
  }

  static std::string name_of(const LayoutSettings& settings, int round) {
    return concat(planning::scaling_name(settings.scaling), "-", settings.layout.name(),
                  settings.chunk_frames > 0 ? concat("-c", settings.chunk_frames) : "",
                  round < 1 ? concat("-warm", 1 - round) : concat("-", round));
  }

  void run_one(const LayoutSettings& settings, int round) {
    const std::string name = name_of(settings, round);
    const fs::path record = config_.results / "jobs" / (name + ".h5");
    const fs::path log = config_.results / "jobs" / (name + ".log");
    const fs::path output = config_.results / ("output" + config_.output_extension);
    std::error_code error;
    for (const fs::path& old : {record, log, output}) fs::remove(old, error);
    const launch::ProcessResult result = start(settings, record, log, output);
    fs::remove(output, error);
    if (result.end == launch::ProcessEnd::interrupted)
      throw Error(ExitCode::interrupted, "interrupted", concat("while layout ", name, " ran"));
    if (result.end == launch::ProcessEnd::timed_out) {
      fail(settings, concat("layout ", settings.layout.name(), " was not done after ",
                            fixed(config_.timeout_s, 0), " s and was ended (", error_in(log), ")"));
      return;
    }
    if (result.exit_code == static_cast<int>(ExitCode::usage))
      throw UsageError(concat("layout ", settings.layout.name(), " cannot run"), error_in(log));
    if (result.exit_code != 0) {
      fail(settings, concat("layout ", settings.layout.name(), " ended with code ", result.exit_code, " (",
                            error_in(log), ")"));
      return;
    }
    take(settings, round, io::read_record(record), result.seconds_s);
  }

  launch::ProcessResult start(const LayoutSettings& settings, const fs::path& record, const fs::path& log,
                              const fs::path& output) const {
    std::vector<std::string> run = config_.run_arguments;
    if (std::ranges::find(run, "--status") == run.end()) run.insert(run.end(), {"--status", "none"});
    run.insert(run.end(), {"--output", output.string(), "--record", record.string(), "--overwrite",
                           "--no-resume", "--progress", "none"});
    if (settings.chunk_frames > 0)
      run.insert(run.end(), {"--chunk-frames", std::to_string(settings.chunk_frames)});
    if (config_.duration_s) run.insert(run.end(), {"--duration", fixed(duration_s(settings), 6)});
    const launch::Placement placement{settings.layout.num_machines, settings.layout.gpus_per_machine};
    if (!config_.slurm) {
      run.insert(run.begin(), {config_.program.string(), "run"});
      return launch::run_process(
          process(launch::mpirun_command(placement, config_.hosts, config_.mpirun, run), log));
    }
    const fs::path job_id = log.string() + ".sbatch";
    const launch::ProcessResult result =
        launch::run_process(process(launch::sbatch_command(placement, config_.slurm_script, config_.program,
                                                           config_.slurm_options, log, run),
                                    job_id));
    if (result.end != launch::ProcessEnd::exited) cancel(job_id);
    return result;
  }

  [[nodiscard]] launch::ProcessConfig process(launch::RanksCommand ranks, const fs::path& log) const {
    return {.command = std::move(ranks.command),
            .environment = std::move(ranks.environment),
            .log = log,
            .timeout_s = config_.timeout_s,
            .interrupted = config_.interrupted};
  }

  static void cancel(const fs::path& job_id) {
    std::ifstream in(job_id);
    std::string id;
    constexpr double patience_s = 30;
    if (in >> id)
      launch::run_process({.command = {"scancel", id}, .log = "/dev/null", .timeout_s = patience_s});
  }

  [[nodiscard]] double duration_s(const LayoutSettings& settings) const {
    const double share_s = config_.duration_s.value_or(0);
    return settings.scaling == Scaling::weak ? share_s * settings.layout.num_workers() : share_s;
  }

  void take(LayoutSettings settings, int round, const io::JobRecord& record, double process_s) {
    check_length(settings, record);
    if (config_.slurm || !config_.hosts.empty()) {
      if (const std::string problem = planning::placement_problem(record, settings.layout);
          !problem.empty()) {
        fail(settings, problem);
        return;
      }
    }
    settings.chunk_frames = std::atoll(planning::job_value(record, "chunk_frames").c_str());
    LayoutRun run =
        planning::measure_run(record, settings, process_s, config_.prices ? &*config_.prices : nullptr);
    run.repeat = round;
    log::info(concat(settings.layout.name(), ", ", planning::scaling_name(settings.scaling), " scaling, ",
                     settings.chunk_frames, " frames a chunk, ",
                     round < 1 ? "warm-up" : concat("run ", round), ": ", run.num_frames, " frames, ",
                     fixed(run.frames_per_s, 1), " frames/s, start-up ", fixed(run.startup_s, 2), " s"));
    if (round >= 1) runs_.push_back(std::move(run));
  }

  // Weak scaling needs a clip that is long enough for the largest layout.
  void check_length(const LayoutSettings& settings, const io::JobRecord& record) const {
    if (settings.scaling != Scaling::weak) return;
    const double there_s = std::atof(planning::job_value(record, "input.duration_s").c_str());
    const double needed_s = duration_s(settings);
    constexpr double tolerance = 0.95;  // a clip ends where its last frame does
    if (there_s > 0 && there_s < tolerance * needed_s)
      throw UsageError(concat("the clip is too short for weak scaling on layout ", settings.layout.name(),
                              ": ", fixed(there_s, 1), " s where ", fixed(needed_s, 1), " s are needed"),
                       "--duration is the share of each GPU", "Give a longer clip or a shorter --duration");
  }

  void fail(const LayoutSettings& settings, const std::string& problem) {
    log::warning(problem);
    failures_.push_back(problem);
    failed_.push_back(settings);
  }

  void write_results() const {
    const auto summaries = planning::summarise(runs_);
    write_text(config_.results / "layouts.csv", planning::layouts_csv(runs_, config_.context));
    write_text(config_.results / "layouts.md", planning::layouts_markdown(summaries, config_.context));
    write_text(config_.results / "layouts.svg", planning::layouts_svg(summaries));
  }

  const LayoutBenchmarkConfig& config_;
  std::vector<LayoutRun> runs_;
  std::vector<LayoutSettings> failed_;
  std::vector<std::string> failures_;
};

}  // namespace

std::string benchmark_layouts(const LayoutBenchmarkConfig& config) {
  return Benchmark(config).run();
}

}  // namespace atelier::cli
