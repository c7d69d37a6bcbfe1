#include "progress.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <system_error>

#include "atelier/base/log.h"
#include "atelier/base/stopwatch.h"
#include "atelier/base/text.h"

namespace atelier::cli {
namespace {

using pipeline::Progress;

double share_done(const Progress& p) {
  if (!p.num_frames || *p.num_frames <= 0) return 0;
  return std::min(1.0, static_cast<double>(p.num_frames_done) / static_cast<double>(*p.num_frames));
}

std::string counts(const Progress& p) {
  std::string text = concat(p.num_frames_done, p.num_frames ? concat("/", *p.num_frames) : "", " frames, ",
                            fixed(p.frames_per_s, 2), " frames/s");
  if (p.remaining_s) text += concat(", ", human_duration(*p.remaining_s), " left");
  if (p.num_failures > 0)
    text += concat(", ", p.num_failures, p.num_failures == 1 ? " failure" : " failures");
  return text;
}

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
  static void draw(const Progress& p, const char* end) {
    constexpr int width = 30;
    const int filled = static_cast<int>(share_done(p) * width);
    std::string bar;
    for (int i = 0; i < width; ++i) bar += i < filled ? "█" : "░";
    const std::string text =
        concat("\r", bar, " ", static_cast<int>(share_done(p) * 100), " % ", counts(p), "\x1b[K", end);
    std::fputs(text.c_str(), stderr);
    std::fflush(stderr);
  }
};

// A line every 30 s, for log files.
class Lines final : public pipeline::ProgressSink {
 public:
  void update(const Progress& p) override {
    constexpr double interval_s = 30;
    if (watch_.seconds_s() < interval_s) return;
    watch_.restart_s();
    log::info(concat(human_duration(p.elapsed_s), ": ", counts(p), ", ", p.num_workers, " workers"));
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

// Whether somebody watches. Open MPI gives each rank a terminal of its own as stdout, wherever the output
// goes; the root's parent, mpirun, has the real one.
bool on_terminal() {
  if (isatty(STDOUT_FILENO) == 0) return false;
  if (std::getenv("OMPI_COMM_WORLD_SIZE") == nullptr) return true;
  std::error_code failed;
  const std::string out = std::filesystem::read_symlink(concat("/proc/", getppid(), "/fd/1"), failed);
  return !failed && (out.starts_with("/dev/pts/") || out.starts_with("/dev/tty"));
}

}  // namespace

std::unique_ptr<pipeline::ProgressSink> make_progress(const std::string& how) {
  if (how == "none") return nullptr;
  if (how == "json") return std::make_unique<JsonLines>();
  if (how == "bar" || (how == "auto" && on_terminal())) return std::make_unique<Bar>();
  return std::make_unique<Lines>();
}

}  // namespace atelier::cli
