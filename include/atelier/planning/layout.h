#pragma once

#include <string>
#include <vector>

namespace atelier::planning {

/// Machines and the workers (one for each GPU) on each of them: "2x4". The root runs on the first machine,
/// beside its workers.
struct Layout {
  int num_machines = 1;
  int gpus_per_machine = 1;

  [[nodiscard]] int num_workers() const { return num_machines * gpus_per_machine; }
  /// "2x4"
  [[nodiscard]] std::string name() const;
  bool operator==(const Layout&) const = default;
};

/// Reads "2x4". Throws UsageError for anything else, for a zero and for more than 4096 workers.
Layout parse_layout(const std::string& text);

/// Reads "1x1,1x4,2x4". Throws UsageError, also where a layout is named twice or none is.
std::vector<Layout> parse_layouts(const std::string& text);

}  // namespace atelier::planning
