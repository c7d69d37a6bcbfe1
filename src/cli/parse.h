#pragma once

#include <boost/program_options.hpp>
#include <string>
#include <vector>

namespace atelier::cli {

/// The values that a command line gives. Options cannot be abbreviated; what stands alone is refused unless
/// positional takes it. Variables that the description names get their values. command, such as "run", is for
/// the messages. Throws UsageError.
boost::program_options::variables_map parse_arguments(
    const std::string& command, const std::vector<std::string>& arguments,
    const boost::program_options::options_description& description,
    const boost::program_options::positional_options_description& positional = {});

/// Whether this asks for help: --help or -h.
bool is_help(const std::string& argument);

/// The long names of the options.
std::vector<std::string> option_names(const boost::program_options::options_description& description);

}  // namespace atelier::cli
