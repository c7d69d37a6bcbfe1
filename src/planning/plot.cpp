#include "plot.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "atelier/base/text.h"
#include "html.h"

namespace atelier::planning {
namespace {

constexpr double left_px = 62;
constexpr double right_px = 24;
constexpr double note_px = 15;
constexpr double bottom_px = 44;

double nice_step(double rough) {
  const double power = std::pow(10.0, std::floor(std::log10(rough)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (rough <= factor * power * 1.0000001) return factor * power;
  }
  return 10 * power;
}

}  // namespace

std::string px(double value) {
  std::string text = fixed(value, 1);
  if (text.ends_with(".0")) text.resize(text.size() - 2);
  return text == "-0" ? "0" : text;
}

Axis exact_axis(std::string title, double max, int num_ticks) {
  if (!(max > 0) || !std::isfinite(max)) max = 1;
  Axis axis{.title = std::move(title), .max = max, .tick = nice_step(max / num_ticks)};
  axis.decimals = std::clamp(static_cast<int>(std::ceil(-std::log10(axis.tick) - 1e-9)), 0, 6);
  return axis;
}

Axis nice_axis(std::string title, double max, int num_ticks, bool whole) {
  Axis axis = exact_axis(std::move(title), max, num_ticks);
  if (whole && axis.tick < 1) {
    axis.tick = 1;
    axis.decimals = 0;
  }
  axis.max = axis.tick * std::ceil(axis.max / axis.tick - 1e-9);
  return axis;
}

TimeUnit time_unit(double whole_s) {
  if (whole_s < 300) return {"s", 1};
  if (whole_s < 4 * 3600) return {"min", 60};
  return {"h", 3600};
}

Plot::Plot(Axis x, Axis y, int width_px, int height_px, int num_note_lines)
    : x_(std::move(x)),
      y_(std::move(y)),
      width_px_(width_px),
      height_px_(height_px),
      top_px_(7 + note_px * num_note_lines) {}

double Plot::x_px(double value) const {
  return left_px + (width_px_ - left_px - right_px) * std::clamp(value / x_.max, 0.0, 1.0);
}

double Plot::y_px(double value) const {
  return height_px_ - bottom_px - (height_px_ - bottom_px - top_px_) * std::clamp(value / y_.max, 0.0, 1.0);
}

void Plot::bars(const std::vector<double>& values, double x_end, const std::string& css) {
  if (values.empty()) return;
  std::string path = concat('M', px(x_px(0)), ' ', px(y_px(0)));
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double end = x_end * static_cast<double>(i + 1) / static_cast<double>(values.size());
    path += concat('V', px(y_px(values[i])), 'H', px(x_px(end)));
  }
  body_ += concat("<path class=\"", css, "\" d=\"", path, 'V', px(y_px(0)), "Z\"/>\n");
}

void Plot::steps(const std::vector<double>& values, double x_end, const std::string& css) {
  std::vector<std::pair<double, double>> points;
  for (std::size_t i = 0; i < values.size(); ++i)
    points.emplace_back(x_end * (static_cast<double>(i) + 0.5) / static_cast<double>(values.size()),
                        values[i]);
  line(points, css);
}

void Plot::line(const std::vector<std::pair<double, double>>& points, const std::string& css) {
  if (points.empty()) return;
  std::string path;
  for (const auto& [x, y] : points) path += concat(path.empty() ? 'M' : 'L', px(x_px(x)), ' ', px(y_px(y)));
  // A single point would not show.
  if (points.size() == 1) path += concat("h3");
  body_ += concat("<path class=\"", css, "\" d=\"", path, "\"/>\n");
}

void Plot::mark(double x, const std::string& text) {
  body_ += concat("<path class=\"mark\" d=\"M", px(x_px(x)), ' ', px(top_px_ - 10), "v12\"><title>",
                  html_text(text), "</title></path>\n");
}

void Plot::note(double x, const std::string& text, int level) {
  const double at_px = x_px(x);
  const bool on_the_left = at_px > 0.6 * width_px_;
  body_ += concat("<path class=\"note\" d=\"M", px(at_px), ' ', px(3 + note_px * level), 'V', px(y_px(0)),
                  "\"/><text x=\"", px(at_px + (on_the_left ? -5 : 5)), "\" y=\"", px(12 + note_px * level),
                  "\" text-anchor=\"", on_the_left ? "end" : "start", "\">", html_text(text), "</text>\n");
}

std::string Plot::svg(const std::string& label) const {
  std::string out = concat("<svg viewBox=\"0 0 ", width_px_, ' ', height_px_, "\" role=\"img\" aria-label=\"",
                           html_text(label), "\">\n");
  const double base_px = y_px(0);
  for (double value = 0; value <= y_.max * 1.0001; value += y_.tick) {
    const std::string y = px(y_px(value));
    out += concat("<path class=\"grid\" d=\"M", px(left_px), ' ', y, 'H', px(width_px_ - right_px),
                  "\"/><text class=\"t\" x=\"", px(left_px - 6), "\" y=\"", px(y_px(value) + 4),
                  "\" text-anchor=\"end\">", fixed(value, y_.decimals), "</text>\n");
  }
  out += body_;
  out += concat("<path class=\"axis\" d=\"M", px(left_px), ' ', px(base_px), 'H', px(width_px_ - right_px),
                "\"/>\n");
  for (double value = 0; value <= x_.max * 1.0001; value += x_.tick) {
    const std::string x = px(x_px(value));
    out += concat("<path class=\"axis\" d=\"M", x, ' ', px(base_px), "v5\"/><text class=\"t\" x=\"", x,
                  "\" y=\"", px(base_px + 18), "\" text-anchor=\"middle\">", fixed(value, x_.decimals),
                  "</text>\n");
  }
  out += concat("<text class=\"t\" x=\"", px((left_px + width_px_ - right_px) / 2), "\" y=\"", height_px_ - 6,
                "\" text-anchor=\"middle\">", html_text(x_.title), "</text>\n");
  out += concat("<text class=\"t\" x=\"4\" y=\"12\">", html_text(y_.title), "</text>\n</svg>\n");
  return out;
}

std::string strip_path(const std::vector<double>& values, double x_px, double y_px, double width_px,
                       double height_px) {
  const double bottom = y_px + height_px;
  const double bin_px = width_px / static_cast<double>(std::max<std::size_t>(1, values.size()));
  std::string path;
  double level = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    // What is there at all shows as a pixel.
    const double height = values[i] <= 0 ? 0 : std::max(1.0, std::round(values[i] * height_px * 2) / 2);
    if (height == level) continue;
    const double x = x_px + bin_px * static_cast<double>(i);
    path += level == 0 ? concat('M', px(x), ' ', px(bottom), 'V', px(bottom - height))
                       : concat('H', px(x), 'V', px(bottom - height), height == 0 ? "Z" : "");
    level = height;
  }
  if (level > 0) path += concat('H', px(x_px + width_px), 'V', px(bottom), 'Z');
  return path;
}

}  // namespace atelier::planning
