#pragma once

namespace atelier {

/// Errors that a network file system or a mounted object store gives and that may pass: EIO, ESTALE,
/// ENOTCONN, EAGAIN, EINTR, ETIMEDOUT, ENOSPC, EDQUOT.
bool may_pass(int error_number);

/// Some file systems cannot flush, and answer fsync so: EINVAL, ENOSYS, ENOTSUP. (EROFS is no such answer:
/// ext4 gives it after it has shut down and lost what was written.)
bool is_flush_refusal(int error_number);

/// True for what an operating system says of a path, or of who may use it, and not of storage: ENOENT,
/// EACCES, EISDIR and the like.
bool is_about_path(int error_number);

/// Seconds to wait before each further try of what may pass.
inline constexpr double retry_waits_s[] = {0.25, 1, 3};

/// Calls operation() until it gives 0, an error that will not pass, or all tries are used, with
/// wait(seconds) between; gives its last result.
template <typename Wait, typename Operation>
int with_retries(const Wait& wait, const Operation& operation) {
  int error_number = operation();
  for (const double wait_s : retry_waits_s) {
    if (error_number == 0 || !may_pass(error_number)) break;
    wait(wait_s);
    error_number = operation();
  }
  return error_number;
}

/// For readers to wait between two tries. Gives up at once, in all threads, from give_up_reading() on.
void wait_to_read(double seconds_s);

/// True: the job ends, and no reader of this process waits for storage any more. False: they wait again.
void give_up_reading(bool give_up);

}  // namespace atelier
