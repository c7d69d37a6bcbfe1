#include "commands.h"

#include <algorithm>
#include <cerrno>
#include <iostream>
#include <sstream>
#include <utility>

#include "atelier/base/error.h"
#include "atelier/base/text.h"
#include "atelier/base/version.h"
#include "bench_engine_command.h"
#include "nearest.h"
#include "parse.h"
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

namespace {

// Of UTF-8, one column each.
std::size_t num_characters(const std::string& text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

const std::vector<Command>& benchmarks() {
  static const std::vector<Command> all = {
#if ATELIER_MEDIA
    {"stages", "each stage of a job alone, then the whole", bench_stages_command},
    {"layouts", "a real job on each layout of machines and GPUs", bench_layouts_command},
#endif
    {"engine", "the network alone", bench_engine_command},
  };
  return all;
}

std::vector<std::string> names_of(const std::vector<Command>& commands) {
  std::vector<std::string> names;
  for (const Command& command : commands) names.emplace_back(command.name);
  return names;
}

void print_commands(const std::vector<Command>& commands) {
  HelpRows rows;
  for (const Command& command : commands) rows.emplace_back(command.name, command.summary);
  print_columns(rows);
}

// Runs the one that the first argument names; what is "command" or "benchmark".
int run_one_of(const std::vector<Command>& commands, const char* what,
               const std::vector<std::string>& arguments, const std::string& see) {
  for (const Command& command : commands) {
    if (arguments[0] == command.name) return command.run({arguments.begin() + 1, arguments.end()});
  }
  std::vector<std::string> names = names_of(commands);
  const std::string listed = join(names, ", ");
  names.insert(names.end(), {"help", "--help", "--version"});
  throw UsageError(concat("unknown ", what, " '", arguments[0], "'"), concat("there are ", listed),
                   concat(did_you_mean(arguments[0], names), see));
}

}  // namespace

int bench_command(const std::vector<std::string>& arguments) {
  const char* see = "See 'atelier bench --help'";
  if (arguments.empty())
    throw UsageError("atelier bench needs the name of a benchmark",
                     concat("there are ", join(names_of(benchmarks()), ", ")), see);
  if (!is_help(arguments[0])) return run_one_of(benchmarks(), "benchmark", arguments, see);
  std::cout
      << "usage: atelier bench BENCHMARK [options]        atelier bench BENCHMARK --help tells more\n\n";
  print_commands(benchmarks());
  return 0;
}

std::size_t name_column_width(const HelpRows& rows) {
  std::size_t width = 0;
  for (const auto& row : rows) width = std::max(width, num_characters(row.first));
  return std::min<std::size_t>(width, 30);
}

void print_columns(const HelpRows& rows, std::size_t name_width) {
  constexpr std::size_t total_width = 100;
  const std::size_t left = (name_width > 0 ? name_width : name_column_width(rows)) + 4;
  for (const auto& [name, help] : rows) {
    std::string line = concat("  ", name, ' ');
    std::size_t width = num_characters(line);
    if (width < left) line.append(left - 1 - std::exchange(width, left - 1), ' ');
    std::istringstream words(help);
    for (std::string word; words >> word;) {
      if (width + 1 + num_characters(word) > total_width) {
        std::cout << line << '\n';
        line.assign(left - 1, ' ');
        width = left - 1;
      }
      line += ' ' + word;
      width += 1 + num_characters(word);
    }
    std::cout << line << '\n';
  }
}

namespace {

void print_help() {
  std::cout << "Atelier paints a video in the style of a picture, on one machine or many.\n\n"
               "usage: atelier COMMAND [options]        atelier COMMAND --help tells more\n\n";
  print_commands(commands());
  std::cout << "\nexample: atelier run --input in.mp4 --output out.mp4 --style picture.jpg\n";
}

int run_arguments(const std::vector<std::string>& arguments) {
  if (arguments.empty()) {
    print_help();
    return static_cast<int>(ExitCode::usage);
  }
  if (is_help(arguments[0]) || arguments[0] == "help") {
    if (arguments.size() > 1)  // 'help run' is 'run --help'
      return run_one_of(commands(), "command", {arguments[1], "--help"}, "See 'atelier --help'");
    print_help();
    return 0;
  }
  if (arguments[0] == "--version") {
    std::cout << build_text() << '\n';
    return 0;
  }
  return run_one_of(commands(), "command", arguments, "See 'atelier --help'");
}

}  // namespace

int run_program(const std::vector<std::string>& arguments) {
  const int code = run_arguments(arguments);
  // What waits in a buffer may meet a full disk.
  errno = 0;
  if (!std::cout.flush())
    throw JobError("cannot write to the standard output", errno == 0 ? "" : errno_text(errno));
  return code;
}

}  // namespace atelier::cli
