#include "atelier/base/cpu_quota.h"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "atelier/base/text.h"

namespace atelier {
namespace {

namespace fs = std::filesystem;

// A line of /proc/self/mountinfo that shows control groups.
struct GroupMount {
  std::string shown_group;  // of the hierarchy, at the mount point
  std::string mount_point;
  bool version_2 = false;
};

// mountinfo writes a blank as \040, and so on.
std::string without_octal_escapes(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto is_octal = [](char c) { return c >= '0' && c <= '7'; };
    if (text[i] == '\\' && i + 3 < text.size() && std::ranges::all_of(text.substr(i + 1, 3), is_octal)) {
      plain += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0'));
      i += 3;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

bool lists_cpu(std::string_view controllers) {
  return std::ranges::count(split(controllers, ','), "cpu") > 0;
}

// ID PARENT MAJOR:MINOR ROOT POINT OPTIONS [TAGS] - TYPE SOURCE SUPER-OPTIONS
std::vector<GroupMount> group_mounts(const fs::path& root) {
  std::vector<GroupMount> mounts;
  std::ifstream file(root / "proc/self/mountinfo");
  for (std::string line; std::getline(file, line);) {
    const std::vector<std::string> parts = split(line, ' ');
    const auto dash = std::ranges::find(parts, "-");
    if (parts.size() < 6 || parts.end() - dash < 4) continue;
    const bool version_2 = dash[1] == "cgroup2";
    if (version_2 || (dash[1] == "cgroup" && lists_cpu(dash[3])))
      mounts.push_back({without_octal_escapes(parts[3]), without_octal_escapes(parts[4]), version_2});
  }
  return mounts;
}

// HIERARCHY:CONTROLLERS:GROUP; version 2 has the hierarchy 0 and no controllers.
std::string own_group(const fs::path& root, bool version_2) {
  std::ifstream file(root / "proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    if (version_2 ? line.starts_with("0::") : lists_cpu(controllers)) return line.substr(second + 1);
  }
  return {};
}

// From the mount point downwards. A container may see its own group as the top, whatever its name outside.
fs::path below_mount(const std::string& group, const std::string& shown_group) {
  if (group.find("..") != std::string::npos) return {};
  const std::string prefix = shown_group == "/" ? "" : shown_group;
  if (!group.starts_with(prefix + "/")) return {};
  return fs::path(group.substr(prefix.size())).relative_path();
}

std::optional<double> number_in(const fs::path& path) {
  std::ifstream file(path);
  double value = 0;
  return file >> value ? std::optional(value) : std::nullopt;
}

std::optional<double> quota_of(const fs::path& group, bool version_2) {
  std::optional<double> quota_us;
  std::optional<double> period_us;
  if (version_2) {
    std::ifstream file(group / "cpu.max");
    double quota = 0;  // or "max"
    double period = 0;
    if (file >> quota >> period) {
      quota_us = quota;
      period_us = period;
    }
  } else {
    quota_us = number_in(group / "cpu.cfs_quota_us");  // -1: none
    period_us = number_in(group / "cpu.cfs_period_us");
  }
  if (!quota_us || !period_us || *quota_us <= 0 || *period_us <= 0) return std::nullopt;
  return *quota_us / *period_us;
}

}  // namespace

std::optional<double> cpu_quota(const fs::path& root) {
  std::optional<double> least;
  for (const GroupMount& mount : group_mounts(root)) {
    fs::path group = root / fs::path(mount.mount_point).relative_path();
    const fs::path below = below_mount(own_group(root, mount.version_2), mount.shown_group);
    const auto consider = [&] {
      const std::optional<double> quota = quota_of(group, mount.version_2);
      if (quota && (!least || *quota < *least)) least = quota;
    };
    consider();
    for (const fs::path& part : below) {
      group /= part;
      consider();
    }
  }
  return least;
}

int usable_cores(int num_allowed, std::optional<double> quota) {
  const int limit = quota ? static_cast<int>(std::min(std::ceil(*quota), 1e6)) : num_allowed;
  return std::max(1, std::min(num_allowed, limit));
}

int num_usable_cores() {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  if (sched_getaffinity(0, sizeof cores, &cores) != 0) return 1;
  return usable_cores(CPU_COUNT(&cores), cpu_quota());
}

}  // namespace atelier
