#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace atelier::cli {

/// How many single changes make a into b: a character left out, put in or replaced, or two neighbours swapped
/// (the restricted Damerau-Levenshtein distance).
std::size_t edit_distance(std::string_view a, std::string_view b);

/// The known name that was probably meant: one that given begins (3 characters or more), else the nearest by
/// edit_distance, of several the first, up to a third of given's length. "" where none is near.
std::string nearest_name(std::string_view given, const std::vector<std::string>& known);

/// "Did you mean PREFIXname? ", or "" where no known name is near.
std::string did_you_mean(std::string_view given, const std::vector<std::string>& known,
                         std::string_view prefix = "");

}  // namespace atelier::cli
