#include <boost/program_options.hpp>
#include <iostream>
#include <string>
#include <vector>

#include "atelier/base/error.h"
#include "atelier/pipeline/describe.h"
#include "commands.h"
#include "parse.h"

namespace atelier::cli {

int info_command(const std::vector<std::string>& arguments) {
  namespace po = boost::program_options;
  po::options_description options;
  options.add_options()("file", po::value<std::vector<std::string>>())("help,h", "");
  po::positional_options_description positional;
  positional.add("file", -1);
  po::variables_map map = parse_arguments("info", arguments, options, positional);
  if (map.contains("help")) {
    std::cout << "usage: atelier info [FILE]\n\n"
                 "Without FILE: this build and its devices. With it: the video's streams.\n";
    return 0;
  }
  std::vector<std::string> files;
  if (map.contains("file")) files = map["file"].as<std::vector<std::string>>();
  if (files.size() > 1)
    throw UsageError("atelier info takes one file or nothing", "", "See 'atelier info --help'");
  std::cout << (files.empty() ? pipeline::describe_build() : pipeline::describe_input(files[0]));
  return 0;
}

}  // namespace atelier::cli
