#include <boost/program_options.hpp>
#include <fstream>
#include <iostream>
#include <span>

#include "atelier/base/error.h"
#include "atelier/base/handle.h"
#include "atelier/planning/report.h"
#include "commands.h"
#include "parse.h"

namespace atelier::cli {

int report_command(const std::vector<std::string>& arguments) {
  namespace po = boost::program_options;
  po::options_description options;
  options.add_options()("record", po::value<std::string>())("csv", po::value<std::string>())("help,h", "");
  po::positional_options_description positional;
  positional.add("record", 1);
  po::variables_map map;
  try {
    map = parse_arguments(arguments, options, positional);
  } catch (const po::error& e) {
    throw UsageError(e.what(), "", "See 'atelier report --help'");
  }
  if (map.contains("help")) {
    std::cout << "usage: atelier report RECORD.h5 [--csv FILE]\n\n";
    print_columns({{"RECORD.h5", "what 'atelier run --record' wrote"},
                   {"--csv FILE", "also write a line for each frame: times of each stage in seconds"}});
    return 0;
  }
  if (!map.contains("record")) throw UsageError("the record is missing", "", "See 'atelier report --help'");
  const auto record = io::read_record(map["record"].as<std::string>());
  std::cout << planning::text_report(record);
  if (map.contains("csv")) {
    const std::string text = planning::csv_report(record);
    write_file_once(map["csv"].as<std::string>(), std::as_bytes(std::span(text)));
  }
  return 0;
}

}  // namespace atelier::cli
