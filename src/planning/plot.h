#pragma once

#include <string>
#include <vector>

namespace atelier::planning {

/// A range of values along an axis of a plot, with its ticks.
struct Axis {
  std::string title;   ///< with the unit; "frames/s"
  double max = 1;      ///< it begins at 0
  double tick = 0.25;  ///< distance of ticks
  int decimals = 0;    ///< of their labels
};
/// From 0 to at least max, about num_ticks ticks at 1, 2 or 5 times a power of ten. whole: no ticks between
/// whole numbers.
Axis nice_axis(std::string title, double max, int num_ticks, bool whole = false);
/// max rather than the next tick above it.
Axis exact_axis(std::string title, double max, int num_ticks);

/// A length of time in the unit that suits the whole: seconds, minutes or hours.
struct TimeUnit {
  const char* name = "s";
  double seconds = 1;
};
TimeUnit time_unit(double whole_s);

/// A plot in SVG, 0 below left. Sizes in px of a page that is 1000 wide; it scales with the page.
class Plot {
 public:
  /// num_note_lines: lines of text above the plot, for note().
  Plot(Axis x, Axis y, int width_px = 1000, int height_px = 240, int num_note_lines = 1);

  /// Bars of equal width over [0, x_end) from the values; css: the class of the area.
  void bars(const std::vector<double>& values, double x_end, const std::string& css);
  /// A line through the middles of such bars.
  void steps(const std::vector<double>& values, double x_end, const std::string& css);
  /// A line through points.
  void line(const std::vector<std::pair<double, double>>& points, const std::string& css);
  /// A mark at the top, at x, with a text that shows under the pointer.
  void mark(double x, const std::string& text);
  /// An upright line at x with a short text above it; level: which of the lines of text.
  void note(double x, const std::string& text, int level = 0);

  /// label: for people who hear the page.
  [[nodiscard]] std::string svg(const std::string& label) const;

 private:
  [[nodiscard]] double x_px(double value) const;
  [[nodiscard]] double y_px(double value) const;

  Axis x_;
  Axis y_;
  int width_px_;
  int height_px_;
  double top_px_;
  std::string body_;
};

/// The path of bars: values 0 to 1 over a strip at (x, y) of this size; equal neighbours are one step.
std::string strip_path(const std::vector<double>& values, double x_px, double y_px, double width_px,
                       double height_px);

/// px with a decimal at most.
std::string px(double value);

}  // namespace atelier::planning
