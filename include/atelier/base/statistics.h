#pragma once

#include <vector>

namespace atelier {

/// The middle value, of an even count the mean of the middle two. values: at least one.
double median(std::vector<double> values);

}  // namespace atelier
