#include <algorithm>
#include <boost/program_options.hpp>
#include <cstdlib>
#include <iostream>
#include <sstream>
#include <system_error>

#include "atelier/base/error.h"
#include "atelier/base/stopwatch.h"
#include "atelier/base/text.h"
#include "atelier/base/version.h"
#include "atelier/launch/ranks_command.h"
#include "bench_layouts_command.h"
#include "commands.h"
#include "layout_benchmark.h"
#include "options.h"
#include "parse.h"
#include "signals.h"
#include "values.h"

namespace atelier::cli {
namespace {

namespace po = boost::program_options;
namespace fs = std::filesystem;
using planning::Scaling;

struct BenchOption {
  const char* name;
  const char* value;
  const char* help;
  void (*apply)(LayoutBenchmarkConfig&, const std::string& value);
};

std::vector<std::string> words(const std::string& text) {
  std::istringstream in(text);
  return {std::istream_iterator<std::string>(in), {}};
}

const std::vector<BenchOption>& bench_options() {
  using Config = LayoutBenchmarkConfig;
  using Text = const std::string&;
  static const std::vector<BenchOption> all = {
      {"layouts", "A,B,…",
       "machines x GPUs of each, such as 1x1,1x2,2x2; on this machine a worker stands for a GPU",
       [](Config& c, Text v) { c.layouts = planning::parse_layouts(v); }},
      {"scaling", "NAME", "strong: the same clip for all (the default); weak: --duration for each GPU; both",
       [](Config& c, Text v) {
         to_choice("scaling", v, {"strong", "weak", "both"});
         c.scalings.clear();
         if (v != "weak") c.scalings.push_back(Scaling::strong);
         if (v != "strong") c.scalings.push_back(Scaling::weak);
       }},
      {"chunk-frames", "N,M,…", "lengths of a chunk to try",
       [](Config& c, Text v) {
         for (const std::string& part : split(v, ','))
           c.chunk_frames.push_back(to_integer("chunk-frames", part, 1, 100000));
       }},
      {"duration", "TIME", "part of the clip; with weak scaling for each GPU",
       [](Config& c, Text v) { c.duration_s = to_time_s("duration", v); }},
      {"repeats", "N", "measured rounds over all layouts (3)",
       [](Config& c, Text v) { c.num_repeats = static_cast<int>(to_integer("repeats", v, 1, 1000)); }},
      {"warm-ups", "N", "rounds before that, which do not count (1)",
       [](Config& c, Text v) { c.num_warm_ups = static_cast<int>(to_integer("warm-ups", v, 0, 1000)); }},
      {"timeout", "SECONDS", "a job that takes longer is ended and named (3600)",
       [](Config& c, Text v) { c.timeout_s = to_number("timeout", v, 0.1, 1e7); }},
      {"results", "DIR",
       "gets layouts.csv, layouts.md, layouts.svg and each job's record and log (bench-layouts)",
       [](Config& c, Text v) { c.results = v; }},
      {"prices", "FILE", "what machines cost, as jobs/prices.cfg",
       [](Config& c, Text v) { c.prices = planning::read_prices(v); }},
      {"to", "WHERE", "local: mpirun (the default); slurm: sbatch",
       [](Config& c, Text v) {
         c.slurm = to_choice("to", v, {"local", "slurm"}) == "slurm";
       }},
      {"hosts", "FILE", "machines for mpirun, one name a line; this machine alone if not given",
       [](Config& c, Text v) { c.hosts = launch::read_hosts(v); }},
      {"mpirun", "WORDS", "mpirun and options of it (mpirun)",
       [](Config& c, Text v) { c.mpirun = words(v); }},
      {"slurm-options", "WORDS",
       "more options of sbatch; {gpus} and {machines} stand for the layout's numbers",
       [](Config& c, Text v) { c.slurm_options = words(v); }},
      {"slurm-script", "FILE", "the job body; slurm/atelier.sbatch if not given",
       [](Config& c, Text v) { c.slurm_script = v; }},
  };
  return all;
}

void print_help() {
  std::cout
      << "usage: atelier bench layouts --layouts 1x1,1x2,2x2 --input FILE [options] [options of atelier "
         "run]\n\n"
         "Runs a real job for each layout of machines and GPUs, all of them in turn, and writes throughput,\n"
         "efficiency, start-up, bytes moved and cost as CSV, as a table and as plots.\n\n";
  std::vector<std::pair<std::string, std::string>> rows;
  for (const BenchOption& option : bench_options())
    rows.emplace_back(concat("--", option.name, ' ', option.value), option.help);
  print_columns(rows);
}

fs::path this_program() {
  std::error_code error;
  return fs::read_symlink("/proc/self/exe", error);
}

// Beside the build tree, or in share/ of an installation.
fs::path shipped_script(const fs::path& program) {
  std::error_code error;
  for (const char* folder : {"../../slurm", "../share/atelier/slurm"}) {
    const fs::path candidate = (program.parent_path() / folder / "atelier.sbatch").lexically_normal();
    if (fs::exists(candidate, error)) return candidate;
  }
  throw UsageError("slurm/atelier.sbatch is not beside this program", "", "Name it with --slurm-script");
}

// Options of `atelier run` are left over; they are tried once, so that what is wrong with them is said at
// once.
void check_run_arguments(LayoutBenchmarkConfig& config) {
  std::vector<std::string>& run = config.run_arguments;
  const auto find = [&](const char* name) { return std::ranges::find(run, name); };
  if (find("--record") != run.end())
    throw UsageError("--record has no place in atelier bench layouts", "",
                     "The records are in the folder of --results");
  if (const auto output = find("--output"); output != run.end()) {
    if (output + 1 == run.end()) throw UsageError("--output needs a name");
    if (const std::string extension = fs::path(*(output + 1)).extension().string(); !extension.empty())
      config.output_extension = extension;
    run.erase(output, output + 2);
  }
  std::vector<std::string> whole = run;
  whole.insert(whole.end(), {"--output", "output" + config.output_extension});
  (void)parse_run(whole, process_environment());
}

LayoutBenchmarkConfig parse(const std::vector<std::string>& arguments) {
  LayoutBenchmarkConfig config;
  po::options_description description;
  for (const BenchOption& option : bench_options())
    description.add_options()(option.name, po::value<std::string>(), option.help);
  po::variables_map map;
  try {
    const int style = po::command_line_style::unix_style & ~po::command_line_style::allow_guessing;
    const po::parsed_options parsed =
        po::command_line_parser(arguments).options(description).style(style).allow_unregistered().run();
    config.run_arguments = po::collect_unrecognized(parsed.options, po::include_positional);
    po::store(parsed, map);
  } catch (const po::error& e) {
    throw UsageError(e.what(), "", "See 'atelier bench layouts --help'");
  }
  for (const BenchOption& option : bench_options())
    if (map.contains(option.name)) option.apply(config, map[option.name].as<std::string>());
  return config;
}

void check(LayoutBenchmarkConfig& config) {
  if (config.layouts.empty())
    throw UsageError("--layouts is missing", "", "Name some, such as --layouts 1x1,1x2,2x2");
  if (config.mpirun.empty()) throw UsageError("--mpirun is empty");
  if (std::ranges::find(config.scalings, Scaling::weak) != config.scalings.end() && !config.duration_s)
    throw UsageError("--scaling weak needs --duration", "it is what each GPU gets", "");
  if (config.slurm && !config.hosts.empty())
    throw UsageError("--hosts has no effect with --to slurm", "Slurm chooses the machines", "Leave one out");
  if (std::getenv("OMPI_COMM_WORLD_SIZE") != nullptr)
    throw UsageError("atelier bench layouts was started by mpirun", "it starts mpirun itself",
                     "Start it alone");
  if (!config.hosts.empty()) {
    const auto machines = std::ranges::max(config.layouts, {}, &planning::Layout::num_machines).num_machines;
    if (config.hosts.size() < static_cast<std::size_t>(machines))
      throw UsageError(concat("the host list names ", config.hosts.size(), " machines"),
                       concat("the layouts need up to ", machines));
    launch::check_hosts(config.hosts);
  }
  if (config.prices)
    for (const planning::Layout& layout : config.layouts) (void)config.prices->machine_for(layout);
}

}  // namespace

int bench_layouts_command(const std::vector<std::string>& arguments) {
  if (std::ranges::any_of(arguments, is_help)) {
    print_help();
    return 0;
  }
  LayoutBenchmarkConfig config = parse(arguments);
  check(config);
  check_run_arguments(config);
  config.program = this_program();
  if (config.slurm && config.slurm_script.empty()) config.slurm_script = shipped_script(config.program);
  config.context = {.program = build_text(),
                    .command = "atelier bench layouts " + join(arguments, " "),
                    .utc = utc_text(wall_clock_s()),
                    .launcher = config.slurm ? "sbatch" : join(config.mpirun, " "),
                    .currency = config.prices ? config.prices->currency : ""};
  catch_interrupts();
  config.interrupted = [] { return interrupted() != 0; };
  std::cout << benchmark_layouts(config);
  return 0;
}

}  // namespace atelier::cli
