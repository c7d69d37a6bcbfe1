#include "atelier/base/storage_retry.h"

#include <cerrno>

namespace atelier {

bool may_pass(int error_number) {
  switch (error_number) {
    case EIO:
    case ESTALE:
    case ENOTCONN:
    case EAGAIN:
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

}  // namespace atelier
