#include "atelier/base/error.h"

#include <system_error>

#include "atelier/base/text.h"

namespace atelier {
namespace {

std::string sentence(const std::string& problem, const std::string& why, const std::string& suggestion) {
  std::string text = problem;
  if (!why.empty()) text += " (" + without_period(why) + ")";
  if (!text.empty() && text.back() != '.') text += '.';
  if (!suggestion.empty()) text += " " + suggestion;
  if (text.back() != '.' && text.back() != '?') text += '.';
  for (char& c : text) {
    if (c == '\n' || c == '\r') c = ' ';
  }
  return text;
}

}  // namespace

Error::Error(ExitCode code, const std::string& problem, const std::string& why, const std::string& suggestion)
    : std::runtime_error(sentence(problem, why, suggestion)), code_(code) {}

std::string errno_text(int error_number) {
  return std::generic_category().message(error_number);
}

}  // namespace atelier
