#include "parse.h"

#include <algorithm>

#include "atelier/base/error.h"
#include "atelier/base/text.h"
#include "nearest.h"

namespace atelier::cli {

namespace po = boost::program_options;

po::variables_map parse_arguments(const std::string& command, const std::vector<std::string>& arguments,
                                  const po::options_description& description,
                                  const po::positional_options_description& positional) {
  const int style = po::command_line_style::unix_style & ~po::command_line_style::allow_guessing;
  const std::string see = concat("See 'atelier ", command, " --help'");
  po::variables_map values;
  try {
    po::store(
        po::command_line_parser(arguments).options(description).positional(positional).style(style).run(),
        values);
    po::notify(values);
  } catch (const po::unknown_option& e) {
    const std::string whole = e.get_option_name();
    const std::string given = whole.substr(0, whole.find('='));
    const std::string name = given.substr(std::min(given.find_first_not_of('-'), given.size()));
    throw UsageError(concat("unknown option '", given, "'"), "",
                     concat(did_you_mean(name, option_names(description), "--"), see));
  } catch (const po::too_many_positional_options_error&) {
    const po::parsed_options parsed =
        po::command_line_parser(arguments).options(description).style(style).run();
    const auto stray =
        std::ranges::find_if(parsed.options, [](const auto& option) { return option.position_key >= 0; });
    throw UsageError(concat("'", stray->value.front(), "' belongs to no option"),
                     "a name with spaces needs quotes", see);
  } catch (const po::error& e) {
    // The names of Boost's messages are ours already.
    throw UsageError(e.what(), "", see);
  }
  return values;
}

bool is_help(const std::string& argument) {
  return argument == "--help" || argument == "-h";
}

std::vector<std::string> option_names(const po::options_description& description) {
  std::vector<std::string> names;
  for (const auto& option : description.options()) names.push_back(option->long_name());
  return names;
}

}  // namespace atelier::cli
