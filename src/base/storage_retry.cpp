#include "atelier/base/storage_retry.h"

#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <mutex>

namespace atelier {
namespace {

struct ReadWaits {
  std::mutex mutex;
  std::condition_variable changed;
  bool given_up = false;
};

ReadWaits& read_waits() {
  static ReadWaits waits;
  return waits;
}

}  // namespace

bool may_pass(int error_number) {
  switch (error_number) {
    case EIO:
    case ESTALE:
    case ENOTCONN:
    case EAGAIN:
    case EINTR:
    case ETIMEDOUT:
    case ENOSPC:
    case EDQUOT:
      return true;
    default:
      return false;
  }
}

bool is_flush_refusal(int error_number) {
  return error_number == EINVAL || error_number == ENOSYS || error_number == ENOTSUP;
}

bool is_about_path(int error_number) {
  switch (error_number) {
    case ENOENT:
    case ENOTDIR:
    case EISDIR:
    case EACCES:
    case EPERM:
    case ELOOP:
    case ENAMETOOLONG:
    case EINVAL:
    case ENXIO:
      return true;
    default:
      return false;
  }
}

void wait_to_read(double seconds_s) {
  ReadWaits& waits = read_waits();
  std::unique_lock lock(waits.mutex);
  waits.changed.wait_for(lock, std::chrono::duration<double>(seconds_s), [&] { return waits.given_up; });
}

void give_up_reading(bool give_up) {
  ReadWaits& waits = read_waits();
  {
    const std::lock_guard lock(waits.mutex);
    waits.given_up = give_up;
  }
  waits.changed.notify_all();
}

}  // namespace atelier
