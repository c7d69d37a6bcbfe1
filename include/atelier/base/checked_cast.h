#pragma once

#include <utility>

#include "atelier/base/error.h"
#include "atelier/base/text.h"

namespace atelier {

/// value as To. Throws JobError if it does not fit.
template <typename To, typename From>
To checked_cast(From value) {
  if (!std::in_range<To>(value))
    throw JobError(concat("number out of range: ", value), "internal count overflow");
  return static_cast<To>(value);
}

}  // namespace atelier
