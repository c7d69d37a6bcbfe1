#include "bench_stages_command.h"

#include <algorithm>
#include <iostream>

#include "atelier/base/error.h"
#include "atelier/pipeline/ranks.h"
#include "atelier/pipeline/run.h"
#include "atelier/pipeline/stage_benchmark.h"
#include "commands.h"
#include "options.h"
#include "parse.h"
#include "signals.h"
#include "values.h"

namespace atelier::cli {
namespace {

// Takes `--name VALUE` out of the arguments, if it is there.
void take(std::vector<std::string>& arguments, const std::string& name, int& value) {
  const auto it = std::find(arguments.begin(), arguments.end(), "--" + name);
  if (it == arguments.end()) return;
  if (it + 1 == arguments.end()) throw UsageError("--" + name + " needs a number");
  value = static_cast<int>(to_integer(name, *(it + 1), name == "warm-ups" ? 0 : 1, 100000));
  arguments.erase(it, it + 2);
}

void print_help() {
  std::cout
      << "usage: atelier bench stages --input FILE --style PICTURE [options of atelier run]\n"
         "       mpirun -n 2 atelier bench stages …    measures the transfer between ranks too\n\n"
         "Measures each stage of a job alone, then the whole job, and prints CSV: frames/s beside a limit\n"
         "(ffmpeg with as many threads, memcpy of as many bytes; for the job its slowest stage).\n\n";
  print_columns({{"--frames N", "frames of the clip to use (48)"},
                 {"--warm-ups N", "unmeasured rounds before (1)"},
                 {"--repeats N", "measured rounds (5)"}});
}

pipeline::StageBenchmarkConfig parse(std::vector<std::string> arguments) {
  pipeline::StageBenchmarkConfig config;
  take(arguments, "frames", config.num_frames);
  take(arguments, "warm-ups", config.num_warm_ups);
  take(arguments, "repeats", config.num_repeats);
  if (std::find(arguments.begin(), arguments.end(), "--output") == arguments.end())
    arguments.insert(arguments.end(), {"--output", "bench.mp4"});  // only its ending counts
  config.run = parse_run(arguments, process_environment()).config;
  return config;
}

}  // namespace

int bench_stages_command(const std::vector<std::string>& arguments) {
  if (std::ranges::any_of(arguments, is_help)) {
    print_help();
    return 0;
  }
  return pipeline::run_ranks(
      [&](transport::Communicator* communicator, const std::string& /*launcher*/) {
        const pipeline::StageBenchmarkConfig config = parse(arguments);
        const auto results = pipeline::benchmark_stages(config, communicator);
        pipeline::write_csv(std::cout, results, config, communicator == nullptr ? 1 : communicator->size());
        return ExitCode::done;
      },
      [](transport::Communicator& communicator) {
        ignore_interrupts();
        pipeline::run_stage_benchmark_worker(communicator);
      });
}

}  // namespace atelier::cli
