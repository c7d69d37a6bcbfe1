#include <iostream>

#include "atelier/base/error.h"
#include "atelier/pipeline/describe.h"
#include "commands.h"

namespace atelier::cli {

int info_command(const std::vector<std::string>& arguments) {
  if (!arguments.empty() && (arguments[0] == "--help" || arguments[0] == "-h")) {
    std::cout << "usage: atelier info [FILE]\n\n"
                 "Without FILE: this build and its devices. With it: the video's streams.\n";
    return 0;
  }
  if (arguments.size() > 1 || (!arguments.empty() && arguments[0].starts_with("-")))
    throw UsageError("atelier info takes one file or nothing", "", "See 'atelier info --help'");
  std::cout << (arguments.empty() ? pipeline::describe_build() : pipeline::describe_input(arguments[0]));
  return 0;
}

}  // namespace atelier::cli
