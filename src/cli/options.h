#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "atelier/pipeline/run_config.h"

namespace atelier::cli {

/// What the help puts under one heading, in this order.
enum class OptionGroup { style, video, output, work, interruptions, messages, settings, developers };

/// One option of `atelier run`: flag `--name`, key `name` in config files, variable ATELIER_NAME (upper case,
/// underscores).
struct Option {
  const char* name;
  const char* value;          ///< what the help calls its value; "" for a switch
  const char* default_value;  ///< as the help shows it; "" for none
  const char* help;
  /// Puts the value into the config. Throws UsageError.
  std::function<void(pipeline::RunConfig&, const std::string& value)> apply;
  bool repeatable = false;
  OptionGroup group = OptionGroup::settings;
};

const std::vector<Option>& run_options();

/// What a command line asks for.
struct RunRequest {
  enum class Kind { run, help, dump_config } kind = Kind::run;
  pipeline::RunConfig config;
  std::vector<std::string> warnings = {};  ///< of variables that are probably misspelt
};

/// Precedence: command line, environment, config files (the later first), default.
/// environment: name and value of each variable. Throws UsageError.
RunRequest parse_run(const std::vector<std::string>& arguments,
                     const std::map<std::string, std::string>& environment);

/// The variables of this process.
std::map<std::string, std::string> process_environment();

void print_run_help();
/// The settings in effect, as a config file.
void print_config(const pipeline::RunConfig& config);

}  // namespace atelier::cli
