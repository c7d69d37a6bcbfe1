#include <boost/program_options.hpp>
#include <filesystem>
#include <iostream>
#include <optional>
#include <span>

#include "atelier/base/error.h"
#include "atelier/base/handle.h"
#include "atelier/planning/html_report.h"
#include "atelier/planning/report.h"
#include "atelier/planning/trace_report.h"
#include "commands.h"
#include "follow_command.h"
#include "parse.h"
#include "values.h"

namespace atelier::cli {
namespace {

namespace po = boost::program_options;
using Texts = std::vector<std::string>;

void print_report_help() {
  std::cout
      << "usage: atelier report RECORD.h5 [RECORD2.h5 …] [--html FILE] [--trace FILE] [--csv FILE] [--prices "
         "FILE]\n"
         "       atelier report --follow STATUS [--progress HOW]\n\n"
         "Says what a job did and what held it up, from the record that 'atelier run --record' wrote.\n\n";
  print_columns(
      {{"--html FILE", "also write a page with plots, for a browser; several records side by side"},
       {"--trace FILE", "also write all that every rank did, for ui.perfetto.dev or chrome://tracing"},
       {"--csv FILE",
        "also write a line for each frame: times of each stage in seconds; several records in one file"},
       {"--follow STATUS",
        "show how far a running job is, until it ends: its status file, or its output, beside which that "
        "lies"},
       {"--progress HOW", "with --follow: auto, bar, json, none (auto)"}});
}

// The names of files, with their folders where those do not tell them apart.
std::vector<planning::NamedRecord> read_records(const Texts& paths) {
  std::vector<planning::NamedRecord> records;
  for (const std::string& path : paths) {
    std::string name = std::filesystem::path(path).filename().string();
    for (const std::string& other : paths) {
      if (other != path && std::filesystem::path(other).filename() == name) name = path;
    }
    records.push_back({name, io::read_record(path)});
  }
  return records;
}

void write_text(const std::string& path, const std::string& text) {
  write_file_once(path, std::as_bytes(std::span(text)));
}

}  // namespace

int report_command(const std::vector<std::string>& arguments) {
  po::options_description options;
  options.add_options()("record", po::value<Texts>())("html", po::value<std::string>())(
      "trace", po::value<std::string>())("prices", po::value<std::string>())(
      "follow", po::value<std::string>())("progress", po::value<std::string>())(
      "csv", po::value<std::string>())("help,h", "");
  po::positional_options_description positional;
  positional.add("record", -1);
  po::variables_map map = parse_arguments("report", arguments, options, positional);
  if (map.contains("help")) {
    print_report_help();
    return 0;
  }
  const bool makes = map.contains("record") || map.contains("html") || map.contains("trace") ||
                     map.contains("csv") || map.contains("prices");
  if (map.contains("follow")) {
    if (makes)
      throw UsageError("--follow goes with no record and no file to write", "a running job has no record yet",
                       "See 'atelier report --help'");
    const std::string how = map.contains("progress") ? map["progress"].as<std::string>() : "auto";
    return follow_job(map["follow"].as<std::string>(),
                      to_choice("progress", how, {"auto", "bar", "json", "none"}));
  }
  if (map.contains("progress"))
    throw UsageError("--progress goes with --follow only", "", "See 'atelier report --help'");
  if (!map.contains("record")) throw UsageError("the record is missing", "", "See 'atelier report --help'");
  const std::vector<planning::NamedRecord> records = read_records(map["record"].as<Texts>());
  std::optional<planning::Prices> price_list;
  if (map.contains("prices")) price_list = planning::read_prices(map["prices"].as<std::string>());
  const planning::Prices* prices = price_list ? &*price_list : nullptr;
  // Files first: who reads the text may close it early, as head does.
  if (map.contains("html")) write_text(map["html"].as<std::string>(), planning::html_report(records, prices));
  if (map.contains("trace")) planning::write_trace(map["trace"].as<std::string>(), records);
  if (map.contains("csv")) planning::write_csv(map["csv"].as<std::string>(), records);
  for (const planning::NamedRecord& named : records) {
    if (records.size() > 1)
      std::cout << (&named == &records.front() ? "" : "\n") << "== " << named.name << '\n';
    std::cout << planning::text_report(named.record, prices);
  }
  return 0;
}

}  // namespace atelier::cli
