#include "parse.h"

namespace atelier::cli {

namespace po = boost::program_options;

po::variables_map parse_arguments(const std::vector<std::string>& arguments,
                                  const po::options_description& description,
                                  const po::positional_options_description& positional) {
  const int style = po::command_line_style::unix_style & ~po::command_line_style::allow_guessing;
  po::variables_map values;
  po::store(po::command_line_parser(arguments).options(description).positional(positional).style(style).run(),
            values);
  return values;
}

}  // namespace atelier::cli
