#include "progress.h"

#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>

#include "atelier/base/log.h"
#include "atelier/base/stopwatch.h"
#include "atelier/base/text.h"
#include "progress_bar.h"

namespace atelier::cli {
namespace {

using pipeline::Progress;

// One line of stderr, drawn over and over.
class Bar final : public pipeline::ProgressSink {
 public:
  Bar() {
    log::set_stderr_hooks([] { std::fputs("\r\x1b[K", stderr); }, nullptr);
  }
  ~Bar() override { log::set_stderr_hooks(nullptr, nullptr); }

  void update(const Progress& p) override { draw(p, ""); }
  void finish(const Progress& p, bool succeeded) override {
    if (succeeded)
      draw(p, "\n");
    else
      std::fputs("\n", stderr);
    log::set_stderr_hooks(nullptr, nullptr);
  }

 private:
  void draw(const Progress& p, const char* end) const {
    // Asked anew each time: somebody may have made the window narrower.
    const std::string text = concat("\r", bar_line(p, terminal_columns(), cells_), "\x1b[K", end);
    std::fputs(text.c_str(), stderr);
    std::fflush(stderr);
  }

  BarCells cells_ = bar_cells_of_locale();
};

// A line every 30 s, for log files.
class Lines final : public pipeline::ProgressSink {
 public:
  void update(const Progress& p) override {
    constexpr double interval_s = 30;
    if (watch_.seconds_s() < interval_s) return;
    watch_.restart_s();
    log::info(concat(human_duration(p.elapsed_s), ": ", progress_counts(p), ", ", p.num_workers, " workers"));
  }
  void finish(const Progress& /*progress*/, bool /*succeeded*/) override {}

 private:
  Stopwatch watch_;
};

// One object a line on stderr, once a second and at the end.
class JsonLines final : public pipeline::ProgressSink {
 public:
  void update(const Progress& p) override {
    if (watch_.seconds_s() < 1) return;
    watch_.restart_s();
    print(p, "running");
  }
  void finish(const Progress& p, bool succeeded) override { print(p, succeeded ? "done" : "failed"); }

 private:
  static void print(const Progress& p, const char* state) {
    nlohmann::json line = {{"state", state},
                           {"frames_done", p.num_frames_done},
                           {"elapsed_s", p.elapsed_s},
                           {"frames_per_s", p.frames_per_s},
                           {"failures", p.num_failures},
                           {"workers", p.num_workers}};
    line["frames"] = p.num_frames ? nlohmann::json(*p.num_frames) : nlohmann::json();
    line["remaining_s"] = p.remaining_s ? nlohmann::json(*p.remaining_s) : nlohmann::json();
    std::fprintf(stderr, "%s\n", line.dump().c_str());
    std::fflush(stderr);
  }

  Stopwatch watch_;
};

}  // namespace

std::unique_ptr<pipeline::ProgressSink> make_progress(const std::string& how) {
  if (how == "none") return nullptr;
  if (how == "json") return std::make_unique<JsonLines>();
  if (how == "bar" || (how == "auto" && stdout_is_terminal())) return std::make_unique<Bar>();
  return std::make_unique<Lines>();
}

}  // namespace atelier::cli
