#include "loss_curve.h"

#include <cstdlib>
#include <fstream>
#include <utility>

#include "atelier/base/handle.h"
#include "atelier/base/text.h"

namespace atelier::training {
namespace {

constexpr const char* header =
    "iteration,pictures,content,style,variation,out_of_range,identity,instability,learning_rate,seconds";

}  // namespace

LossCurve::LossCurve(std::filesystem::path path, int num_iterations) : path_(std::move(path)) {
  if (path_.empty() || num_iterations == 0) return;
  std::ifstream file(path_);
  std::string row;
  std::getline(file, row);
  if (row != header) return;
  while (std::getline(file, row))
    if (std::atoi(row.c_str()) <= num_iterations) rows_.push_back(row);
}

void LossCurve::add(const TrainReport& r, double learning_rate) {
  add_row(concat(r.num_iterations, ",trained,", fixed(r.content, 5), ",", fixed(r.style, 5), ",",
                 fixed(r.variation, 5), ",", fixed(r.out_of_range, 6), ",", fixed(r.identity, 6), ",",
                 fixed(r.instability, 6), ",", fixed(learning_rate, 7), ",", fixed(r.seconds_s, 1)));
}

void LossCurve::add_aside(int num_iterations, double seconds_s, double content, double style,
                          double instability) {
  add_row(concat(num_iterations, ",aside,", fixed(content, 5), ",", fixed(style, 5), ",,,,",
                 fixed(instability, 6), ",,", fixed(seconds_s, 1)));
}

void LossCurve::add_row(const std::string& row) {
  if (path_.empty()) return;
  rows_.push_back(row);
  std::string text = concat(header, "\n");
  for (const auto& line : rows_) text += line + "\n";
  std::filesystem::path part = path_;
  part += ".part";
  write_file_once(part, std::as_bytes(std::span(text)));
  std::filesystem::rename(part, path_);
}

}  // namespace atelier::training
