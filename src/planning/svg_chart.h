#pragma once

#include <string>
#include <vector>

namespace atelier::planning {

struct ChartPoint {
  double x = 0;
  double y = 0;
  std::string label = {};  ///< beside the point; may be empty
};

/// Points, joined by straight lines in the order given.
struct ChartSeries {
  std::string name = {};  ///< for the legend; empty: none
  std::string color = {};
  bool dashed = false;  ///< without marks: a line to compare with
  bool joined = true;   ///< false: marks only
  std::vector<ChartPoint> points = {};
};

struct ChartAxis {
  std::string title = {};
  bool logarithmic = false;  ///< to base 2; values are above 0
  bool from_zero = false;
};

struct Chart {
  std::string title = {};
  ChartAxis x = {};
  ChartAxis y = {};
  std::vector<ChartSeries> series = {};
};

/// Colours that people who see few colours can tell apart (Okabe and Ito, 2008), in turn.
std::string chart_color(std::size_t index);

/// The charts side by side, two in a row, as one SVG file. Charts without points are left out.
std::string svg_document(const std::vector<Chart>& charts);

}  // namespace atelier::planning
