#include "commands.h"

#include <algorithm>
#include <iostream>
#include <sstream>

#include "atelier/base/error.h"
#include "atelier/base/text.h"
#include "atelier/base/version.h"
#include "bench_engine_command.h"
#include "train_command.h"
#if ATELIER_MEDIA
#include "bench_layouts_command.h"
#include "bench_stages_command.h"
#endif

namespace atelier::cli {

const std::vector<Command>& commands() {
  static const std::vector<Command> all = {
#if ATELIER_MEDIA
    {"run", "style a video", run_command},
    {"report", "say what a job did, from its record", report_command},
    {"plan", "predict time and cost of a job on several layouts", plan_command},
    {"info", "this build and its devices, or a video's streams", info_command},
#endif
    {"train", "train the style network", train_command},
    {"bench", "measure: engine, stages or layouts", bench_command},
  };
  return all;
}

int bench_command(const std::vector<std::string>& arguments) {
  const std::string what = arguments.empty() ? "" : arguments.front();
  const std::vector<std::string> rest(arguments.begin() + (arguments.empty() ? 0 : 1), arguments.end());
  if (what == "engine") return bench_engine_command(rest);
#if ATELIER_MEDIA
  if (what == "stages") return bench_stages_command(rest);
  if (what == "layouts") return bench_layouts_command(rest);
#endif
  throw UsageError("atelier bench needs the name of a benchmark",
                   what.empty() ? "" : concat("not '", what, "'"), "See 'atelier bench engine --help'");
}

void print_columns(const std::vector<std::pair<std::string, std::string>>& rows) {
  constexpr std::size_t total_width = 100;
  std::size_t left = 0;
  for (const auto& row : rows) left = std::max(left, row.first.size());
  left = std::min<std::size_t>(left, 30) + 4;
  for (const auto& [name, help] : rows) {
    std::string line = "  " + name;
    line.append(line.size() + 2 > left ? 2 : left - line.size(), ' ');
    std::istringstream words(help);
    for (std::string word; words >> word;) {
      if (line.size() + word.size() > total_width) {
        std::cout << line << '\n';
        line.assign(left, ' ');
      }
      line += word + ' ';
    }
    std::cout << line << '\n';
  }
}

namespace {

int print_help() {
  std::cout << "Atelier paints a video in the style of a picture, on one machine or many.\n\n"
               "usage: atelier COMMAND [options]        atelier COMMAND --help tells more\n\n";
  std::vector<std::pair<std::string, std::string>> rows;
  for (const Command& command : commands()) rows.emplace_back(command.name, command.summary);
  print_columns(rows);
  std::cout << "\nexample: atelier run --input in.mp4 --output out.mp4 --style picture.jpg\n";
  return 0;
}

}  // namespace

int run_program(const std::vector<std::string>& arguments) {
  if (arguments.empty() || arguments[0] == "--help" || arguments[0] == "-h" || arguments[0] == "help") {
    print_help();
    return arguments.empty() ? static_cast<int>(ExitCode::usage) : 0;
  }
  if (arguments[0] == "--version") {
    std::cout << build_text() << '\n';
    return 0;
  }
  for (const Command& command : commands()) {
    if (arguments[0] == command.name) return command.run({arguments.begin() + 1, arguments.end()});
  }
  std::vector<std::string> names;
  for (const Command& command : commands()) names.emplace_back(command.name);
  throw UsageError(concat("unknown command '", arguments[0], "'"), concat("there are ", join(names, ", ")),
                   "See 'atelier --help'");
}

}  // namespace atelier::cli
