#include <fcntl.h>
#include <langinfo.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <clocale>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <vector>

#include "atelier/base/file_descriptor.h"
#include "atelier/base/text.h"
#include "progress_bar.h"

namespace atelier::cli {
namespace {

using pipeline::Progress;

constexpr int longest_bar = 30;
constexpr int shortest_bar = 8;
constexpr int default_columns = 80;

double share_done(const Progress& p) {
  if (!p.num_frames || *p.num_frames <= 0) return 0;
  return std::clamp(static_cast<double>(p.num_frames_done) / static_cast<double>(*p.num_frames), 0.0, 1.0);
}

std::string frames_text(const Progress& p) {
  return concat(p.num_frames_done, p.num_frames ? concat("/", *p.num_frames) : "", " frames");
}

std::string left_text(const Progress& p) {
  return p.remaining_s ? concat(human_duration(*p.remaining_s), " left") : "";
}

std::string bar_of(double share, int num_cells, const BarCells& cells) {
  const int num_full = static_cast<int>(share * num_cells);
  std::string bar;
  for (int i = 0; i < num_cells; ++i) bar += i < num_full ? cells.full : cells.empty;
  return bar;
}

// 0 where it tells none, as the terminal that Open MPI makes for a rank.
int columns_of(int file) {
  winsize size = {};
  return ioctl(file, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

bool under_mpirun() {
  return std::getenv("OMPI_COMM_WORLD_SIZE") != nullptr;
}

std::string stdout_of_parent() {
  return concat("/proc/", getppid(), "/fd/1");
}

}  // namespace

BarCells bar_cells_of_locale() {
  constexpr BarCells ascii;
  const locale_t locale = newlocale(LC_CTYPE_MASK, "", nullptr);
  if (locale == nullptr) return ascii;
  const bool utf8 = std::strcmp(nl_langinfo_l(CODESET, locale), "UTF-8") == 0;
  freelocale(locale);
  if (!utf8) return ascii;
  std::string_view name;
  for (const char* variable : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const char* value = std::getenv(variable);
    if (name.empty() && value != nullptr) name = value;
  }
  const bool wide = name.starts_with("zh") || name.starts_with("ja") || name.starts_with("ko");
  return {.full = "█", .empty = "░", .columns = wide ? 2 : 1};
}

int terminal_columns() {
  int columns = columns_of(STDERR_FILENO);
  if (columns == 0 && under_mpirun()) {
    const FileDescriptor terminal(::open(stdout_of_parent().c_str(), O_WRONLY | O_NOCTTY | O_CLOEXEC));
    columns = columns_of(terminal.get());
  }
  if (columns == 0) columns = columns_of(STDOUT_FILENO);
  if (columns > 0) return columns;
  const char* text = std::getenv("COLUMNS");
  if (text != nullptr) std::from_chars(text, text + std::strlen(text), columns);
  return columns > 0 ? columns : default_columns;
}

std::string bar_line(const Progress& progress, int columns, const BarCells& cells) {
  const double share = share_done(progress);
  const std::string percent = concat(static_cast<int>(share * 100), " %");
  const std::string left = left_text(progress);
  const std::string full = concat(percent, ' ', progress_counts(progress));
  // The last column stays free: some terminals go to the next line when it is filled.
  const int room = columns - 1;
  const auto width = [](const std::string& text) { return static_cast<int>(text.size()); };
  const int num_cells = std::min(longest_bar, (room - 1 - width(full)) / cells.columns);
  if (num_cells >= shortest_bar) return concat(bar_of(share, num_cells, cells), ' ', full);
  const std::string frames = concat(percent, ' ', frames_text(progress));
  for (const std::string& text : {full, left.empty() ? frames : concat(frames, ", ", left),
                                  left.empty() ? percent : concat(percent, ' ', left), percent})
    if (width(text) <= room) return text;
  return "";
}

std::string progress_counts(const Progress& p) {
  std::vector<std::string> parts{frames_text(p), concat(fixed(p.frames_per_s, 2), " frames/s")};
  if (p.remaining_s) parts.push_back(left_text(p));
  if (p.num_failures > 0)
    parts.push_back(concat(p.num_failures, p.num_failures == 1 ? " failure" : " failures"));
  return join(parts, ", ");
}

bool stdout_is_terminal() {
  if (isatty(STDOUT_FILENO) == 0) return false;
  if (!under_mpirun()) return true;
  std::error_code failed;
  const std::string out = std::filesystem::read_symlink(stdout_of_parent(), failed);
  return !failed && (out.starts_with("/dev/pts/") || out.starts_with("/dev/tty"));
}

}  // namespace atelier::cli
