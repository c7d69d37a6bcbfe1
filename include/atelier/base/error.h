#pragma once

#include <stdexcept>
#include <string>

namespace atelier {

/// Exit codes of the program (also what mpirun and sbatch see).
enum class ExitCode : int {
  done = 0,
  failed = 1,
  usage = 2,         ///< bad usage or bad input
  interrupted = 75,  ///< run the same command again to go on (EX_TEMPFAIL)
};

/// A failure that ends the job with one line: `atelier: error: problem (why). suggestion`.
class Error : public std::runtime_error {
 public:
  /// problem names the file, stream, frame or option; why and suggestion may be empty.
  Error(ExitCode code, const std::string& problem, const std::string& why = {},
        const std::string& suggestion = {});

  [[nodiscard]] ExitCode code() const noexcept { return code_; }

 private:
  ExitCode code_;
};

/// Bad usage or bad input: exit code 2.
class UsageError : public Error {
 public:
  explicit UsageError(const std::string& problem, const std::string& why = {},
                      const std::string& suggestion = {})
      : Error(ExitCode::usage, problem, why, suggestion) {}
};

/// Anything else that ends the job: exit code 1.
class JobError : public Error {
 public:
  explicit JobError(const std::string& problem, const std::string& why = {},
                    const std::string& suggestion = {})
      : Error(ExitCode::failed, problem, why, suggestion) {}
};

/// The text of errno, such as "No space left on device".
std::string errno_text(int error_number);

}  // namespace atelier
