#pragma once

#include <string>
#include <vector>

namespace atelier::cli {

/// One word after `atelier`. run gets what follows it and returns the exit code.
struct Command {
  const char* name;
  const char* summary;
  int (*run)(const std::vector<std::string>& arguments);
};

/// The commands of this build.
const std::vector<Command>& commands();

/// The program: picks the command, or prints help or version. Throws Error.
int run_program(const std::vector<std::string>& arguments);

int run_command(const std::vector<std::string>& arguments);
int report_command(const std::vector<std::string>& arguments);
int plan_command(const std::vector<std::string>& arguments);
int info_command(const std::vector<std::string>& arguments);
int bench_command(const std::vector<std::string>& arguments);

/// Prints lines of "  name  help", the help in a column of its own, at most 100 wide.
void print_columns(const std::vector<std::pair<std::string, std::string>>& rows);

}  // namespace atelier::cli
