#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "atelier/planning/layout.h"

namespace atelier::planning {

/// A kind of machine, known by its number of GPUs. Prices are in Prices::currency.
struct MachinePrice {
  double price_per_h = 0;                  ///< one machine for an hour
  std::optional<double> spot_price_per_h;  ///< the same, while it may be taken away
  double spot_evictions_per_h = 0;         ///< how often it is, on average, in an hour of one machine
  std::optional<double> warm_price_per_h;  ///< while it idles, waiting for a job; none: price_per_h
  std::optional<double> network_gbit_s;    ///< between machines, 10^9 bit/s each way

  [[nodiscard]] double idle_price_per_h() const { return warm_price_per_h.value_or(price_per_h); }
};

/// What machines cost: a file of `name = value` lines, `#` comments, and a section for each kind of machine.
///
///     currency = USD           # any word; needed
///     cold_start_s = 240       # from no machine to one that can start the job (0)
///     billing_step_s = 1       # machine time is charged in whole steps of this; 0: exactly (0)
///     [machine.4]              # machines with 4 GPUs
///     price_per_h = 16         # needed
///     spot_price_per_h = 6     # optional, as what follows
///     spot_evictions_per_h = 0.05
///     warm_price_per_h = 16
///     network_gbit_s = 25
struct Prices {
  std::string currency;
  double cold_start_s = 0;
  double billing_step_s = 0;
  std::map<int, MachinePrice> machines;  ///< by number of GPUs
  std::string source;                    ///< the file, for messages

  /// Throws UsageError if no machine has as many GPUs as the layout needs.
  [[nodiscard]] const MachinePrice& machine_for(const Layout& layout) const;
  /// The time that is charged for one machine, in seconds.
  [[nodiscard]] double billed_s(double time_s) const;
  /// What all machines of the layout cost for a time, at the price of an hour of one of them.
  [[nodiscard]] double cost(const Layout& layout, double time_s, double price_per_h) const;
  /// The same at the layout's usual price.
  [[nodiscard]] double cost(const Layout& layout, double time_s) const;
};

/// Throws UsageError that names source and line: unknown or doubled keys and sections, values that are no
/// numbers or negative, missing prices, no machine at all.
Prices parse_prices(std::string_view text, const std::string& source);

/// Reads the file. Throws UsageError, also if it cannot be read.
Prices read_prices(const std::filesystem::path& path);

}  // namespace atelier::planning
