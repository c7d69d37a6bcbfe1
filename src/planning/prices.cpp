#include "atelier/planning/prices.h"

#include <charconv>
#include <cmath>
#include <set>
#include <vector>

#include "atelier/base/error.h"
#include "atelier/base/handle.h"
#include "atelier/base/text.h"

namespace atelier::planning {
namespace {

std::string trimmed(std::string_view text) {
  constexpr std::string_view blanks = " \t\r";
  const std::size_t begin = text.find_first_not_of(blanks);
  if (begin == std::string_view::npos) return {};
  return std::string(text.substr(begin, text.find_last_not_of(blanks) - begin + 1));
}

class Parser {
 public:
  explicit Parser(const std::string& source) { prices_.source = source; }

  void line(std::string_view text) {
    ++line_number_;
    const std::string content = trimmed(text.substr(0, text.find('#')));
    if (content.empty()) return;
    if (content.front() == '[') {
      begin_section(content);
      return;
    }
    const std::size_t equals = content.find('=');
    if (equals == std::string::npos) refuse("is no setting", "a line is 'name = value' or '[machine.GPUS]'");
    name_ = trimmed(std::string_view(content).substr(0, equals));
    const std::string value = trimmed(std::string_view(content).substr(equals + 1));
    if (!seen_.emplace(section_, name_).second)
      refuse(concat("sets ", name_, " again"), "it takes one value");
    machine_ == nullptr ? set(value) : set(*machine_, value);
  }

  Prices finish() {
    if (prices_.currency.empty())
      throw UsageError(concat("price file '", prices_.source, "' names no currency"),
                       "it begins with a line such as 'currency = USD'");
    if (prices_.machines.empty())
      throw UsageError(concat("price file '", prices_.source, "' names no machine"),
                       "it needs a section such as [machine.1] with price_per_h");
    for (const auto& [num_gpus, machine] : prices_.machines) {
      if (!seen_.contains({num_gpus, "price_per_h"}))
        throw UsageError(concat("price file '", prices_.source, "' has no price of a machine with ", num_gpus,
                                num_gpus == 1 ? " GPU" : " GPUs"),
                         concat("[machine.", num_gpus, "] lacks price_per_h"));
    }
    return std::move(prices_);
  }

 private:
  [[noreturn]] void refuse(const std::string& problem, const std::string& why) const {
    throw UsageError(concat("price file '", prices_.source, "', line ", line_number_, ": ", problem), why);
  }

  void begin_section(const std::string& content) {
    constexpr std::string_view start = "[machine.";
    int num_gpus = 0;
    const char* begin = content.data() + start.size();
    const char* end = content.data() + content.size() - 1;
    if (content.starts_with(start) && content.ends_with(']')) {
      const auto [stop, error] = std::from_chars(begin, end, num_gpus);
      if (error != std::errc() || stop != end) num_gpus = 0;
    }
    if (num_gpus < 1)
      refuse(concat(content, " is no section"), "a section is [machine.GPUS] with a whole number above 0");
    if (prices_.machines.contains(num_gpus)) refuse(concat(content, " is there twice"), "one is needed");
    section_ = num_gpus;
    machine_ = &prices_.machines[num_gpus];
  }

  [[nodiscard]] double number(const std::string& text) const {
    double value = 0;
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value);
    if (error != std::errc() || stop != end || !std::isfinite(value))
      refuse(concat(name_, " cannot be '", text, "'"), "it is a number");
    if (value < 0) refuse(concat(name_, " cannot be ", text), "it is not negative");
    return value;
  }

  void set(const std::string& value) {
    if (name_ == "currency") {
      if (value.empty()) refuse("currency is empty", "it is a word such as USD");
      prices_.currency = value;
    } else if (name_ == "cold_start_s") {
      prices_.cold_start_s = number(value);
    } else if (name_ == "billing_step_s") {
      prices_.billing_step_s = number(value);
    } else {
      refuse(concat("'", name_, "' is unknown"),
             "before the first [machine.GPUS] there are currency, cold_start_s, billing_step_s");
    }
  }

  void set(MachinePrice& machine, const std::string& value) const {
    if (name_ == "price_per_h") {
      machine.price_per_h = number(value);
    } else if (name_ == "spot_price_per_h") {
      machine.spot_price_per_h = number(value);
    } else if (name_ == "spot_evictions_per_h") {
      machine.spot_evictions_per_h = number(value);
    } else if (name_ == "warm_price_per_h") {
      machine.warm_price_per_h = number(value);
    } else if (name_ == "network_gbit_s") {
      machine.network_gbit_s = number(value);
      if (*machine.network_gbit_s == 0) refuse("network_gbit_s cannot be 0", "nothing would arrive");
    } else {
      refuse(concat("'", name_, "' is unknown"),
             "a machine has price_per_h, spot_price_per_h, spot_evictions_per_h, warm_price_per_h, "
             "network_gbit_s");
    }
  }

  Prices prices_;
  MachinePrice* machine_ = nullptr;  // whose section this is
  int section_ = 0;                  // its number of GPUs
  std::string name_;                 // of the setting in this line
  std::set<std::pair<int, std::string>> seen_;
  int line_number_ = 0;
};

}  // namespace

const MachinePrice& Prices::machine_for(const Layout& layout) const {
  const auto it = machines.find(layout.gpus_per_machine);
  if (it != machines.end()) return it->second;
  std::vector<std::string> known;
  for (const auto& [num_gpus, machine] : machines) known.push_back(std::to_string(num_gpus));
  const int num_gpus = layout.gpus_per_machine;
  throw UsageError(
      concat("'", source, "' has no price of a machine with ", num_gpus, num_gpus == 1 ? " GPU" : " GPUs"),
      concat("layout ", layout.name(), " needs one; there are machines with ", join(known, ", ")),
      concat("Add a section [machine.", num_gpus, "], or leave the layout out"));
}

double Prices::billed_s(double time_s) const {
  if (billing_step_s <= 0) return time_s;
  // A time that is a whole number of steps but for rounding is not charged a step more.
  constexpr double rounding = 1e-9;
  return std::ceil(time_s / billing_step_s - rounding) * billing_step_s;
}

double Prices::cost(const Layout& layout, double time_s, double price_per_h) const {
  return layout.num_machines * billed_s(time_s) / 3600 * price_per_h;
}

double Prices::cost(const Layout& layout, double time_s) const {
  return cost(layout, time_s, machine_for(layout).price_per_h);
}

Prices parse_prices(std::string_view text, const std::string& source) {
  Parser parser(source);
  for (const std::string& line : split(text, '\n')) parser.line(line);
  return parser.finish();
}

Prices read_prices(const std::filesystem::path& path) {
  const Buffer bytes = read_file(path);
  return parse_prices({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, path.string());
}

}  // namespace atelier::planning
