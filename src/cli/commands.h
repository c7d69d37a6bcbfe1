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

/// Name and help.
using HelpRows = std::vector<std::pair<std::string, std::string>>;

/// How wide the column of names is, where none takes all the room.
std::size_t name_column_width(const HelpRows& rows);
/// Prints lines of "  name  help", the help in a column of its own, at most 100 wide. name_width: of
/// name_column_width, where several lists stand in line; 0: that of these rows.
void print_columns(const HelpRows& rows, std::size_t name_width = 0);

}  // namespace atelier::cli
