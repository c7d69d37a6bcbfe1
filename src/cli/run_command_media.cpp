#include <string>
#include <vector>

#include "atelier/base/error.h"
#include "atelier/base/log.h"
#include "atelier/pipeline/ranks.h"
#include "atelier/pipeline/run.h"
#include "atelier/pipeline/worker.h"
#include "commands.h"
#include "options.h"
#include "progress.h"
#include "signals.h"

namespace atelier::cli {
namespace {

ExitCode run_root(const std::vector<std::string>& arguments, transport::Communicator* communicator,
                  const std::string& launcher) {
  const auto leave = [&](ExitCode code) {
    if (communicator != nullptr) pipeline::dismiss_workers(*communicator);
    return code;
  };
  RunRequest request;
  try {
    request = parse_run(arguments, process_environment());
  } catch (const Error& e) {
    log::error(e.what());
    return leave(e.code());
  }
  if (request.kind == RunRequest::Kind::help) {
    print_run_help();
    return leave(ExitCode::done);
  }
  if (request.kind == RunRequest::Kind::dump_config) {
    print_config(request.config);
    return leave(ExitCode::done);
  }
  for (const std::string& warning : request.warnings) log::warning(warning);
  if (!request.config.dry_run && !request.config.preview_s) catch_interrupts();
  const auto progress = make_progress(request.config.progress);
  return pipeline::run_job(request.config, {.communicator = communicator,
                                            .progress = progress.get(),
                                            .interrupted = interrupted,
                                            .continued = continued,
                                            .launcher = launcher});
}

}  // namespace

int run_command(const std::vector<std::string>& arguments) {
  return pipeline::run_ranks(
      [&](transport::Communicator* communicator, const std::string& launcher) {
        return run_root(arguments, communicator, launcher);
      },
      [](transport::Communicator& communicator) {
        ignore_interrupts();
        pipeline::run_worker(communicator);
      });
}

}  // namespace atelier::cli
