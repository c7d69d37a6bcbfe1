#include "options.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/program_options.hpp>
#include <cctype>
#include <iostream>
#include <sstream>
#include <utility>

#include "atelier/base/error.h"
#include "atelier/base/handle.h"
#include "atelier/base/text.h"
#include "commands.h"
#include "nearest.h"
#include "parse.h"

namespace atelier::cli {
namespace {

namespace po = boost::program_options;
using Values = std::vector<std::string>;

constexpr const char* see_help = "See 'atelier run --help'";

po::options_description describe_options() {
  po::options_description description;
  for (const Option& option : run_options()) {
    auto* value = po::value<Values>();
    if (*option.value == '\0') value->implicit_value(Values{"true"}, "true");
    description.add_options()(option.name, value, option.help);
  }
  return description;
}

constexpr std::string_view variable_start = "ATELIER_";

// Without the start that all have.
std::string variable_end(std::string option) {
  for (char& c : option) c = c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return option;
}

std::string variable_name(const std::string& option) {
  return concat(variable_start, variable_end(option));
}

std::vector<std::string> names_of_options() {
  std::vector<std::string> names;
  for (const Option& option : run_options()) names.emplace_back(option.name);
  return names;
}

po::parsed_options parse_file(const std::string& path, const po::options_description& description) {
  const Buffer bytes = read_file(path);
  std::istringstream text(std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
  if (text.str().find('\0') != std::string::npos)
    throw UsageError(concat("config file '", path, "' is no text file"), "",
                     "Give a file with 'name = value' a line");
  try {
    return po::parse_config_file(text, description);
  } catch (const po::unknown_option& e) {
    const std::string name = e.get_option_name();
    throw UsageError(concat("config file '", path, "': there is no option '", name, "'"), "",
                     concat(did_you_mean(name, names_of_options()), see_help));
  } catch (const po::error& e) {
    throw UsageError(concat("config file '", path, "': ", e.what()), "", see_help);
  }
}

// Other programs and the kits of launchers have variables of this kind too, so only what is near a name.
std::vector<std::string> misspelt_variables(const std::map<std::string, std::string>& environment) {
  std::vector<std::string> known;
  for (const Option& option : run_options()) known.push_back(variable_end(option.name));
  std::vector<std::string> warnings;
  for (const auto& [name, value] : environment) {
    if (!name.starts_with(variable_start)) continue;
    const std::string end = name.substr(variable_start.size());
    const bool is_known = std::ranges::find(known, end) != known.end();
    if (const std::string near = nearest_name(end, known); !is_known && !near.empty())
      warnings.push_back(concat("the variable ", name, " is no option and has no effect. Did you mean ",
                                variable_start, near, "?"));
  }
  return warnings;
}

pipeline::RunConfig apply(const po::variables_map& map) {
  pipeline::RunConfig config;
  for (const Option& option : run_options()) {
    const auto found = map.find(option.name);
    if (found == map.end() || found->second.empty()) {
      if (*option.default_value != '\0') config.settings.emplace_back(option.name, option.default_value);
      continue;
    }
    const Values& values = found->second.as<Values>();
    if (values.size() > 1 && !option.repeatable)
      throw UsageError(concat("--", option.name, " is given ", values.size(), " times"),
                       "it takes one value");
    for (const std::string& value : values) {
      option.apply(config, value);
      config.settings.emplace_back(option.name, value);
    }
  }
  return config;
}

void check(const pipeline::RunConfig& config) {
  if (config.input.empty()) throw UsageError("--input is missing", "", see_help);
  if (config.output.empty()) throw UsageError("--output is missing", "", see_help);
  if (config.preview_s && config.dry_run)
    throw UsageError("--preview and --dry-run contradict each other", "", "Leave one out");
  if ((config.engine == "identity" || config.engine == "simulated") && !config.model.empty())
    throw UsageError(concat("--model has no effect with --engine ", config.engine), "", "Leave one out");
  if (config.engine != "simulated" && config.simulated_gpus != 0)
    throw UsageError(concat("--simulated-gpus has no effect with --engine ", config.engine), "",
                     "Give --engine simulated, or leave --simulated-gpus out");
  if (config.engine != "simulated" && !config.simulated_slow.empty())
    throw UsageError(concat("--simulated-slow-rank has no effect with --engine ", config.engine), "",
                     "Leave one out");
}

}  // namespace

RunRequest parse_run(const std::vector<std::string>& arguments,
                     const std::map<std::string, std::string>& environment) {
  const po::options_description shared = describe_options();
  po::options_description all;
  all.add(shared);
  all.add_options()("config", po::value<Values>())("dump-config", "")("help,h", "");
  po::variables_map map = parse_arguments("run", arguments, all);
  if (map.contains("help")) return {RunRequest::Kind::help, {}};

  po::parsed_options variables(&shared);
  for (const Option& option : run_options()) {
    const auto found = environment.find(variable_name(option.name));
    if (found != environment.end()) variables.options.emplace_back(option.name, Values{found->second});
  }
  po::store(variables, map);

  if (map.contains("config")) {
    Values files = map["config"].as<Values>();
    std::reverse(files.begin(), files.end());
    for (const std::string& file : files) po::store(parse_file(file, shared), map);
  }
  RunRequest request;
  request.warnings = misspelt_variables(environment);
  request.config = apply(map);
  if (map.contains("dump-config")) {
    request.kind = RunRequest::Kind::dump_config;
  } else {
    check(request.config);
  }
  return request;
}

std::map<std::string, std::string> process_environment() {
  std::map<std::string, std::string> all;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    const std::size_t equals = text.find('=');
    if (equals != std::string::npos) all.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return all;
}

namespace {

constexpr std::array<std::pair<OptionGroup, const char*>, 8> headings = {
    {{OptionGroup::style, "Style"},
     {OptionGroup::video, "Video, or a part of it"},
     {OptionGroup::output, "Output"},
     {OptionGroup::work, "Work"},
     {OptionGroup::interruptions, "Interruptions"},
     {OptionGroup::messages, "What is said"},
     {OptionGroup::settings, "Settings"},
     {OptionGroup::developers, "For developers"}}};

HelpRows::value_type help_row(const Option& option) {
  std::string name = concat("--", option.name);
  if (*option.value != '\0') name += concat(' ', option.value);
  std::string help = option.help;
  if (*option.default_value != '\0') help += concat(" (", option.default_value, ")");
  return {name, help};
}

}  // namespace

void print_run_help() {
  std::cout << "usage: atelier run --input FILE --output FILE --style PICTURE [options]\n"
               "       mpirun -n RANKS atelier run …        rank 0 reads and writes, the others style\n\n";
  HelpRows all;
  for (const Option& option : run_options()) all.push_back(help_row(option));
  for (const auto& [group, heading] : headings) {
    HelpRows rows;
    for (const Option& option : run_options()) {
      if (option.group == group) rows.push_back(help_row(option));
    }
    if (group == OptionGroup::settings) {
      rows.emplace_back("--config FILE",
                        "read options from a file, 'name = value' a line; of several the later wins");
      rows.emplace_back("--dump-config", "print the settings in effect as such a file");
    }
    std::cout << heading << ":\n";
    print_columns(rows, name_column_width(all));
    std::cout << '\n';
  }
  std::cout << "Each option is also a variable: --chunk-frames is ATELIER_CHUNK_FRAMES. The command line "
               "wins over\n"
               "variables, they over config files.\n"
               "Exit codes: 0 done, 1 failed, 2 bad usage or bad input, 75 interrupted: run it again.\n";
}

void print_config(const pipeline::RunConfig& config) {
  for (const auto& [name, value] : config.settings) std::cout << name << " = " << value << '\n';
}

}  // namespace atelier::cli
