#include "atelier/pipeline/ranks.h"

#include <exception>

#include "atelier/base/exception_text.h"
#include "atelier/base/log.h"
#include "atelier/base/text.h"
#include "atelier/tensor/cpu_code_paths.h"
#include "atelier/transport/launcher.h"
#include "atelier/transport/mpi_communicator.h"

namespace atelier::pipeline {
namespace {

#if ATELIER_MPI
ExitCode run_rank(transport::MpiCommunicator& communicator, const RootFunction& root,
                  const WorkerFunction& worker, const std::string& launcher) {
  if (communicator.size() == 1) return root(nullptr, launcher);
  if (communicator.rank() == 0) {
    const ExitCode code = root(&communicator, launcher);
    if (code != ExitCode::done && code != ExitCode::usage) communicator.abort(static_cast<int>(code));
    return code;
  }
  log::configure({.rank = communicator.rank(), .file = {}});
  worker(communicator);
  return ExitCode::done;
}
#endif

}  // namespace

int run_ranks(const RootFunction& root, [[maybe_unused]] const WorkerFunction& worker) {
  tensor::pin_cpu_code_paths();
  const transport::Launcher launcher = transport::detect_launcher();
#if ATELIER_MPI
  if (launcher.name != "none") {
    transport::MpiCommunicator communicator;
    try {
      transport::check_launch(launcher, communicator.size());
      const ExitCode code = run_rank(communicator, root, worker, launcher.name);
      communicator.finish();
      return static_cast<int>(code);
    } catch (const Error& e) {
      log::error(concat("rank ", communicator.rank(), ": ", e.what()));
      communicator.abort(static_cast<int>(e.code()));
    } catch (const std::exception& e) {
      log::error(concat("rank ", communicator.rank(), ": ", exception_text(e)));
      communicator.abort(static_cast<int>(ExitCode::failed));
    }
  }
#endif
  transport::check_launch(launcher, 1);
  return static_cast<int>(root(nullptr, launcher.name));
}

}  // namespace atelier::pipeline
