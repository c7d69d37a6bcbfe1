#include "atelier/io/owner_mark.h"

#include <algorithm>
#include <cerrno>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "atelier/base/error.h"
#include "atelier/base/stopwatch.h"
#include "atelier/base/text.h"
#include "owner_mark_file.h"
#include "sealed_json.h"
#include "work_directory_names.h"

namespace atelier::io {
namespace {

constexpr double look_again_s = 1;
constexpr double dying_s = 5;
constexpr double look_for_dying_s = 0.25;
constexpr double renew_again_s = 2;
constexpr int max_listings = 5;

/// Another start's newest mark.
struct Mark {
  std::int64_t sequence = 0;
  bool running = true;
  std::optional<ProcessIdentity> process;  // nullopt: no mark of this start is whole
};
using Marks = std::map<std::string, Mark>;  // by start id

}  // namespace

struct OwnerMark::Impl {
  explicit Impl(OwnerMarkConfig given) : config(std::move(given)) {}

  void acquire();
  [[nodiscard]] Marks other_marks() const;
  [[nodiscard]] Marks without_the_dead(const Marks& marks);
  [[nodiscard]] bool runs_here(const std::string& start_id, const Mark& mark) const;
  void wait_for_the_dying() const;
  [[noreturn]] void refuse(const std::string& start_id, const Mark& mark) const;
  void watch(Marks watched);
  /// One try: 0 or an errno.
  int write_mark();
  void remove_marks_of(const std::set<std::string>& start_ids) const;

  OwnerMarkConfig config;
  bool running = false;
  std::int64_t sequence = 0;
  double next_renewal_s = 0;
  std::set<std::string> dead;            // start ids
  std::vector<std::string> older_names;  // of our own marks
};

namespace {

std::string name_of(const std::string& start_id, const Mark& mark) {
  if (!mark.process) return concat("the start ", start_id);
  return concat("process ", mark.process->pid, " on ", mark.process->host);
}

}  // namespace

Marks OwnerMark::Impl::other_marks() const {
  Marks marks;
  // A mark that goes between listing and reading has a newer one: the next listing shows that.
  for (int listing = 0; listing < max_listings; ++listing) {
    marks.clear();
    bool any_went = false;
    std::vector<std::string> names;
    FileOperations& files = *config.files;
    const int failed = with_retries(files, [&] { return files.list(config.work_dir, names); });
    if (failed != 0) throw_store_error(config.work_dir, failed);
    for (const std::string& file_name : names) {
      const std::optional<NumberedName> name = parse_numbered_name(owner_kind, file_name);
      if (!name || name->start_id == config.start_id) continue;
      // Names are sorted. Also a half-written mark is a sign of life.
      Mark& mark = marks[name->start_id];
      mark.sequence = std::max(mark.sequence, name->sequence);
      Buffer bytes;
      const int read_failed = files.read(config.work_dir / file_name, max_json_bytes, bytes);
      any_went = any_went || read_failed == ENOENT;
      if (read_failed != 0) continue;
      const std::optional<StoredMark> stored = parse_mark(bytes.bytes());
      if (stored && stored->start_id == name->start_id && stored->sequence == name->sequence) {
        mark.process = stored->process;
        mark.running = stored->running;
      }
    }
    if (!any_went) break;
  }
  return marks;
}

bool OwnerMark::Impl::runs_here(const std::string& start_id, const Mark& mark) const {
  return !dead.contains(start_id) && mark.process && mark.process->shares_processes_with(config.self) &&
         config.runs(*mark.process);
}

/// A root that outlives its killed launcher ends soon.
void OwnerMark::Impl::wait_for_the_dying() const {
  const double began_s = config.now_s();
  while (config.now_s() - began_s < dying_s) {
    const Marks marks = other_marks();
    const auto living = std::find_if(marks.begin(), marks.end(), [&](const auto& entry) {
      return entry.second.running && runs_here(entry.first, entry.second);
    });
    if (living == marks.end()) return;
    if (config.on_wait) config.on_wait(name_of(living->first, living->second), config.now_s() - began_s);
    config.files->wait(look_for_dying_s);
  }
}

/// Those that only time can tell. Throws UsageError if one is of a process that runs on this machine.
Marks OwnerMark::Impl::without_the_dead(const Marks& marks) {
  Marks open;
  for (const auto& [start_id, mark] : marks) {
    // Of two that begin at the same moment each sees the other.
    const bool yields_to_us = !mark.running && start_id > config.start_id;
    if (yields_to_us || dead.contains(start_id)) continue;
    if (!mark.process || !mark.process->shares_processes_with(config.self)) {
      open.emplace(start_id, mark);
    } else if (runs_here(start_id, mark)) {
      refuse(start_id, mark);
    } else {
      dead.insert(start_id);
    }
  }
  return open;
}

void OwnerMark::Impl::refuse(const std::string& start_id, const Mark& mark) const {
  throw UsageError(concat("another job is at work in '", config.work_dir.string(), "'"),
                   name_of(start_id, mark), "Wait for its end, or choose another --work-dir");
}

/// Until those that were seen have gone, or time is up. Throws UsageError if one was renewed or has come.
void OwnerMark::Impl::watch(Marks watched) {
  const double began_s = config.now_s();
  for (;;) {
    const double waited_s = config.now_s() - began_s;
    if (watched.empty() || waited_s >= watch_s) break;
    if (config.on_wait) config.on_wait(name_of(watched.begin()->first, watched.begin()->second), waited_s);
    config.files->wait(look_again_s);
    if (config.now_s() >= next_renewal_s) static_cast<void>(write_mark());
    Marks still;
    for (const auto& [start_id, mark] : without_the_dead(other_marks())) {
      const auto seen = watched.find(start_id);
      if (seen == watched.end() || mark.sequence > seen->second.sequence) refuse(start_id, mark);
      still.emplace(start_id, mark);
    }
    watched = std::move(still);
  }
  for (const auto& [start_id, mark] : watched) dead.insert(start_id);
}

int OwnerMark::Impl::write_mark() {
  const auto path = [&](std::int64_t n) {
    return config.work_dir / numbered_name(owner_kind, config.start_id, n);
  };
  const int failed = create_numbered(*config.files, sequence, path, [&](std::int64_t n) {
    return serialise_mark({config.start_id, n, running, config.self});
  });
  next_renewal_s = config.now_s() + (failed == 0 ? renewal_s : renew_again_s);
  if (failed != 0) return failed;
  const std::string name = path(sequence).filename().string();
  for (const std::string& older : std::exchange(older_names, {name}))
    static_cast<void>(config.files->remove(config.work_dir / older));
  return 0;
}

void OwnerMark::Impl::remove_marks_of(const std::set<std::string>& start_ids) const {
  std::vector<std::string> names;
  if (config.files->list(config.work_dir, names) != 0) return;
  for (const std::string& file_name : names) {
    const std::optional<NumberedName> name = parse_numbered_name(owner_kind, file_name);
    if (name && start_ids.contains(name->start_id))
      static_cast<void>(config.files->remove(config.work_dir / file_name));
  }
}

void OwnerMark::Impl::acquire() {
  const auto write = [&] {
    const int failed = with_retries(*config.files, [&] { return write_mark(); });
    if (failed != 0) throw_store_error(config.work_dir / "owner mark", failed);
  };
  write();
  wait_for_the_dying();
  watch(without_the_dead(other_marks()));
  running = true;
  write();
  remove_marks_of(dead);
}

OwnerMark::OwnerMark(OwnerMarkConfig config) : impl_(std::make_unique<Impl>(std::move(config))) {
  OwnerMarkConfig& given = impl_->config;
  if (!is_start_id(given.start_id)) throw JobError(concat("'", given.start_id, "' is no start id"));
  if (!given.now_s) given.now_s = [watch = Stopwatch()] { return watch.seconds_s(); };
  try {
    impl_->acquire();
  } catch (...) {
    impl_->remove_marks_of({given.start_id});
    throw;
  }
}

OwnerMark::~OwnerMark() {
  impl_->remove_marks_of({impl_->config.start_id});
}

bool OwnerMark::renewal_due() const {
  return impl_->config.now_s() >= impl_->next_renewal_s;
}

std::string OwnerMark::renew() {
  if (!renewal_due()) return {};
  const int failed = impl_->write_mark();
  if (failed == 0) return {};
  return concat("the owner mark in '", impl_->config.work_dir.string(),
                "' could not be renewed: ", errno_text(failed));
}

bool OwnerMark::others_at_work() const {
  try {
    for (const auto& [start_id, mark] : impl_->other_marks()) {
      const bool known = mark.process && mark.process->shares_processes_with(impl_->config.self);
      if (!known || impl_->config.runs(*mark.process)) return true;
    }
    return false;
  } catch (const JobError&) {
    return true;
  }
}

}  // namespace atelier::io
