#include "atelier/base/exception_text.h"

#include <string_view>

#include "atelier/base/log.h"

namespace atelier {

std::string exception_text(const std::exception& error) {
  std::string_view all = error.what();
  while (!all.empty() && (all.back() == '\n' || all.back() == ' ')) all.remove_suffix(1);
  const std::size_t end = all.find('\n');
  if (end == std::string_view::npos) return std::string(all);
  log::to_file(std::string(all));
  return std::string(all.substr(0, end));
}

}  // namespace atelier
