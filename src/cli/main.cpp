#include <exception>
#include <string>
#include <vector>

#include "atelier/base/error.h"
#include "atelier/base/exception_text.h"
#include "atelier/base/log.h"
#include "commands.h"
#include "signals.h"

// Reading on: commands.h lists the commands; `run` is atelier/pipeline/run.h, then root.h and worker.h.
int main(int argc, char** argv) {
  using namespace atelier;
  cli::prepare_process();
  try {
    return cli::run_program(std::vector<std::string>(argv + 1, argv + argc));
  } catch (const Error& e) {
    log::error(e.what());
    return static_cast<int>(e.code());
  } catch (const std::exception& e) {
    log::error(exception_text(e));
    return static_cast<int>(ExitCode::failed);
  }
}
