#include "svg_chart.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "atelier/base/text.h"
#include "html.h"

namespace atelier::planning {
namespace {

constexpr double chart_width_px = 480;
constexpr double chart_height_px = 340;
constexpr double left_px = 66;
constexpr double right_px = 16;
constexpr double top_px = 40;
constexpr double bottom_px = 50;
constexpr const char* ink = "#222222";
constexpr const char* grid = "#dddddd";

std::string px(double value) {
  return fixed(value, 1);
}

// As few decimals as the number needs.
std::string tick_text(double value) {
  for (int decimals = 0; decimals < 4; ++decimals) {
    const double scale = std::pow(10, decimals);
    if (std::abs(std::round(value * scale) / scale - value) < 1e-9 * std::max(1.0, std::abs(value)))
      return fixed(value, decimals);
  }
  return concat(value);
}

/// Values of one axis, where they lie, and which of them are written.
class Scale {
 public:
  Scale(const ChartAxis& axis, double least, double most, double start_px, double end_px)
      : logarithmic_(axis.logarithmic), start_px_(start_px), end_px_(end_px) {
    if (logarithmic_) {
      low_ = std::floor(std::log2(least));
      high_ = std::max(low_ + 1, std::ceil(std::log2(most)));
      const double step = std::ceil((high_ - low_) / 8);
      for (double exponent = low_; exponent <= high_; exponent += step) ticks_.push_back(std::exp2(exponent));
      return;
    }
    low_ = axis.from_zero ? 0 : least;
    const double range = std::max(most - low_, 1e-9);
    const double rough = range / 5;
    const double power = std::pow(10, std::floor(std::log10(rough)));
    double step = 10 * power;
    for (const double nice : {1.0, 2.0, 5.0}) {
      if (nice * power >= rough) {
        step = nice * power;
        break;
      }
    }
    low_ = std::floor(low_ / step) * step;
    high_ = std::ceil(most / step - 1e-9) * step;
    for (int i = 0; low_ + i * step <= high_ + step / 2; ++i) ticks_.push_back(low_ + i * step);
  }

  [[nodiscard]] double at_px(double value) const {
    const double place = logarithmic_ ? std::log2(value) : value;
    return start_px_ + (place - low_) / (high_ - low_) * (end_px_ - start_px_);
  }
  [[nodiscard]] const std::vector<double>& ticks() const { return ticks_; }

 private:
  bool logarithmic_;
  double start_px_;
  double end_px_;
  double low_ = 0;
  double high_ = 1;
  std::vector<double> ticks_;
};

std::string text_at(double x, double y, const std::string& text, const std::string& more) {
  return concat("<text x=\"", px(x), "\" y=\"", px(y), "\" ", more, ">", html_text(text), "</text>\n");
}

std::string line(double x1, double y1, double x2, double y2, const std::string& more) {
  return concat("<line x1=\"", px(x1), "\" y1=\"", px(y1), "\" x2=\"", px(x2), "\" y2=\"", px(y2), "\" ",
                more, "/>\n");
}

std::string axes(const Chart& chart, const Scale& x, const Scale& y) {
  const double right = chart_width_px - right_px;
  const double bottom = chart_height_px - bottom_px;
  std::string svg;
  for (const double tick : y.ticks()) {
    svg += line(left_px, y.at_px(tick), right, y.at_px(tick), concat("stroke=\"", grid, "\""));
    svg += text_at(left_px - 6, y.at_px(tick) + 4, tick_text(tick), "text-anchor=\"end\"");
  }
  for (const double tick : x.ticks()) {
    svg += line(x.at_px(tick), top_px, x.at_px(tick), bottom, concat("stroke=\"", grid, "\""));
    svg += text_at(x.at_px(tick), bottom + 16, tick_text(tick), "text-anchor=\"middle\"");
  }
  svg += line(left_px, bottom, right, bottom, concat("stroke=\"", ink, "\""));
  svg += line(left_px, top_px, left_px, bottom, concat("stroke=\"", ink, "\""));
  svg += text_at(chart_width_px / 2, 20, chart.title,
                 "text-anchor=\"middle\" font-size=\"14\" font-weight=\"bold\"");
  svg += text_at((left_px + right) / 2, chart_height_px - 12, chart.x.title, "text-anchor=\"middle\"");
  const double middle = (top_px + bottom) / 2;
  svg += text_at(16, middle, chart.y.title,
                 concat("text-anchor=\"middle\" transform=\"rotate(-90 16 ", px(middle), ")\""));
  return svg;
}

std::string curve(const ChartSeries& series, const Scale& x, const Scale& y) {
  std::string points;
  for (const ChartPoint& point : series.points)
    points += concat(points.empty() ? "" : " ", px(x.at_px(point.x)), ",", px(y.at_px(point.y)));
  std::string svg;
  if (series.joined)
    svg = concat("<polyline points=\"", points, "\" fill=\"none\" stroke=\"", series.color,
                 "\" stroke-width=\"2\"", series.dashed ? " stroke-dasharray=\"6 4\"" : "", "/>\n");
  for (const ChartPoint& point : series.points) {
    if (!series.dashed)
      svg += concat("<circle cx=\"", px(x.at_px(point.x)), "\" cy=\"", px(y.at_px(point.y)),
                    "\" r=\"3.5\" fill=\"", series.color, "\"/>\n");
    if (!point.label.empty())
      svg += text_at(x.at_px(point.x), y.at_px(point.y) - 8, point.label,
                     "text-anchor=\"middle\" font-size=\"10\"");
  }
  return svg;
}

struct Place {
  double x;
  double y;
};

/// Where the curves run, closely enough to find room beside them.
std::vector<Place> places_of(const Chart& chart, const Scale& x, const Scale& y) {
  constexpr int steps = 16;
  std::vector<Place> places;
  for (const ChartSeries& series : chart.series) {
    for (std::size_t i = 0; i < series.points.size(); ++i) {
      const Place to{x.at_px(series.points[i].x), y.at_px(series.points[i].y)};
      places.push_back(to);
      if (i == 0 || !series.joined) continue;
      const Place from{x.at_px(series.points[i - 1].x), y.at_px(series.points[i - 1].y)};
      for (int k = 1; k < steps; ++k) {
        const double part = static_cast<double>(k) / steps;
        places.push_back({from.x + part * (to.x - from.x), from.y + part * (to.y - from.y)});
      }
    }
  }
  return places;
}

/// In the corner with the fewest curves.
std::string legend(const Chart& chart, const Scale& x, const Scale& y) {
  constexpr double row_px = 16;
  constexpr double letter_px = 6.5;
  std::vector<const ChartSeries*> named;
  std::size_t longest = 0;
  for (const ChartSeries& series : chart.series) {
    if (series.name.empty()) continue;
    named.push_back(&series);
    longest = std::max(longest, series.name.size());
  }
  const double width = 44 + letter_px * static_cast<double>(longest);
  const double height = row_px * static_cast<double>(named.size()) + 6;
  const double right = chart_width_px - right_px - width - 4;
  const double bottom = chart_height_px - bottom_px - height - 4;
  const std::vector<Place> places = places_of(chart, x, y);
  Place best{left_px + 4, top_px + 4};
  std::ptrdiff_t least = std::numeric_limits<std::ptrdiff_t>::max();
  for (const Place corner : {Place{left_px + 4, top_px + 4}, Place{right, bottom}, Place{left_px + 4, bottom},
                             Place{right, top_px + 4}}) {
    const std::ptrdiff_t hits = std::ranges::count_if(places, [&](const Place& place) {
      return place.x >= corner.x && place.x <= corner.x + width && place.y >= corner.y &&
             place.y <= corner.y + height;
    });
    if (hits >= least) continue;
    least = hits;
    best = corner;
  }
  std::string svg = concat("<rect x=\"", px(best.x), "\" y=\"", px(best.y), "\" width=\"", px(width),
                           "\" height=\"", px(height), "\" fill=\"#ffffff\" fill-opacity=\"0.8\"/>\n");
  double row = best.y + row_px;
  for (const ChartSeries* series : named) {
    svg += line(best.x + 6, row - 4, best.x + 30, row - 4,
                concat("stroke=\"", series->color, "\" stroke-width=\"2\"",
                       series->dashed ? " stroke-dasharray=\"6 4\"" : ""));
    svg += text_at(best.x + 36, row, series->name, "");
    row += row_px;
  }
  return svg;
}

std::string drawn(const Chart& chart) {
  double min_x = std::numeric_limits<double>::infinity();
  double max_x = -min_x;
  double min_y = min_x;
  double max_y = max_x;
  for (const ChartSeries& series : chart.series) {
    for (const ChartPoint& point : series.points) {
      min_x = std::min(min_x, point.x);
      max_x = std::max(max_x, point.x);
      min_y = std::min(min_y, point.y);
      max_y = std::max(max_y, point.y);
    }
  }
  const Scale x(chart.x, min_x, max_x, left_px + 12, chart_width_px - right_px - 12);
  const Scale y(chart.y, min_y, max_y, chart_height_px - bottom_px, top_px);
  std::string svg = axes(chart, x, y);
  for (const ChartSeries& series : chart.series) svg += curve(series, x, y);
  return svg + legend(chart, x, y);
}

bool has_points(const Chart& chart) {
  return std::ranges::any_of(chart.series, [](const ChartSeries& series) { return !series.points.empty(); });
}

}  // namespace

std::string chart_color(std::size_t index) {
  static constexpr std::array colors = {"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"};
  return colors.at(index % colors.size());
}

std::string svg_document(const std::vector<Chart>& charts) {
  constexpr std::size_t columns = 2;
  std::vector<Chart> shown;
  std::ranges::copy_if(charts, std::back_inserter(shown), has_points);
  const std::size_t rows = (shown.size() + columns - 1) / columns;
  const double width =
      chart_width_px * static_cast<double>(std::min(columns, std::max<std::size_t>(1, shown.size())));
  const double height = chart_height_px * static_cast<double>(std::max<std::size_t>(1, rows));
  std::string svg = concat("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"", px(width), "\" height=\"",
                           px(height), "\" viewBox=\"0 0 ", px(width), " ", px(height),
                           "\" font-family=\"sans-serif\" font-size=\"12\" fill=\"", ink,
                           "\">\n<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n");
  for (std::size_t i = 0; i < shown.size(); ++i) {
    svg +=
        concat("<g transform=\"translate(", px(chart_width_px * static_cast<double>(i % columns)), " ",
               px(chart_height_px * static_cast<double>(i / columns)), ")\">\n", drawn(shown[i]), "</g>\n");
  }
  return svg + "</svg>\n";
}

}  // namespace atelier::planning
