#pragma once

#include <string>

#include "atelier/io/record.h"

namespace atelier::planning {

/// A record and what people call it: the name of its file.
struct NamedRecord {
  std::string name;
  io::JobRecord record;
};

}  // namespace atelier::planning
