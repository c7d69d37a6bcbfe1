#include <boost/program_options.hpp>
#include <iostream>
#include <span>

#include "atelier/base/error.h"
#include "atelier/base/handle.h"
#include "atelier/base/text.h"
#include "atelier/planning/plan.h"
#include "commands.h"
#include "parse.h"
#include "values.h"

namespace atelier::cli {
namespace {

namespace po = boost::program_options;
using Values = std::vector<std::string>;

void print_plan_help() {
  std::cout << "usage: atelier plan --record RECORD.h5 --layouts LAYOUTS --prices FILE [options]\n\n";
  print_columns(
      {{"--record FILE", "what 'atelier run --record' wrote; several of the same kind of job are combined"},
       {"--layouts LIST", "machines x GPUs of each, such as 1x1,1x4,2x4"},
       {"--prices FILE", "what machines cost, 'name = value' a line; jobs/prices.cfg is an example"},
       {"--frames N", "length of the job in frames (as the first record)"},
       {"--deadline TIME", "from the order of the machines to the end of the job: 3600, 90:00 or 1:30:00"},
       {"--chunk-frames N", "length of a chunk (as in the first record)"},
       {"--encode WHERE", "root, workers or auto (auto)"},
       {"--eviction-rate N", "how often a machine is taken away in an hour (as the prices say)"},
       {"--csv FILE", "also write a line for each layout"}});
}

planning::PlanRequest request_of(const po::variables_map& map) {
  const auto text = [&](const char* name) { return map[name].as<std::string>(); };
  planning::PlanRequest request;
  request.layouts = planning::parse_layouts(text("layouts"));
  constexpr std::int64_t most = 1'000'000'000;
  if (map.contains("frames")) request.num_frames = to_integer("frames", text("frames"), 1, most);
  if (map.contains("chunk-frames"))
    request.chunk_frames = to_integer("chunk-frames", text("chunk-frames"), 1, 100'000);
  if (map.contains("deadline")) request.deadline_s = to_time_s("deadline", text("deadline"));
  if (map.contains("eviction-rate"))
    request.evictions_per_h = to_number("eviction-rate", text("eviction-rate"), 0, 3600);
  if (map.contains("encode")) {
    const std::string where = to_choice("encode", text("encode"), {"root", "workers", "auto"});
    request.encode_at = where == "root"      ? planning::EncodeAt::root
                        : where == "workers" ? planning::EncodeAt::workers
                                             : planning::EncodeAt::automatic;
  }
  return request;
}

}  // namespace

int plan_command(const std::vector<std::string>& arguments) {
  po::options_description options;
  auto add = options.add_options();
  add("record", po::value<Values>());
  for (const char* name :
       {"layouts", "prices", "frames", "deadline", "chunk-frames", "encode", "eviction-rate", "csv"})
    add(name, po::value<std::string>());
  add("help,h", "");
  const char* see = "See 'atelier plan --help'";
  po::variables_map map = parse_arguments("plan", arguments, options);
  if (map.contains("help")) {
    print_plan_help();
    return 0;
  }
  for (const char* name : {"record", "layouts", "prices"})
    if (!map.contains(name)) throw UsageError(concat("--", name, " is missing"), "", see);

  const planning::PlanRequest request = request_of(map);
  const planning::Prices prices = planning::read_prices(map["prices"].as<std::string>());
  for (const planning::Layout& layout : request.layouts) static_cast<void>(prices.machine_for(layout));
  std::vector<planning::NamedRecord> records;
  for (const std::string& path : map["record"].as<Values>()) records.push_back({path, io::read_record(path)});
  const planning::Plan plan = planning::make_plan(planning::measure_rates(records), prices, request);
  if (map.contains("csv")) {
    const std::string text = planning::csv_plan(plan);
    write_file_once(map["csv"].as<std::string>(), std::as_bytes(std::span(text)));
  }
  std::cout << planning::text_plan(plan);
  return 0;
}

}  // namespace atelier::cli
