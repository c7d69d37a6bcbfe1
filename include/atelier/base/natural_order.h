#pragma once

#include <string_view>

namespace atelier {

/// True where a comes before b in natural order: runs of the digits 0 to 9 compare as numbers of any length,
/// all else byte by byte, whatever the locale ("f2" before "f10"). Names that are equal so far, as "f01" and
/// "f1" are, compare byte by byte.
bool natural_less(std::string_view a, std::string_view b);

}  // namespace atelier
