#pragma once

#include <boost/program_options.hpp>
#include <string>
#include <vector>

namespace atelier::cli {

/// The values that a command line gives. Options cannot be abbreviated; what stands alone is refused unless
/// positional takes it. Throws boost::program_options::error.
boost::program_options::variables_map parse_arguments(
    const std::vector<std::string>& arguments, const boost::program_options::options_description& description,
    const boost::program_options::positional_options_description& positional = {});

}  // namespace atelier::cli
