#pragma once

#include <string>

#include "atelier/pipeline/progress.h"

namespace atelier::cli {

/// How many columns a cell of the bar takes, and what it is made of.
struct BarCells {
  const char* full = "#";
  const char* empty = ".";
  int columns = 1;
};

/// Blocks where the locale's characters are UTF-8, else ASCII. In Chinese, Japanese and Korean locales
/// terminals may draw blocks two columns wide.
BarCells bar_cells_of_locale();

/// Columns of the terminal that shows stderr (under mpirun: of mpirun's); else the variable COLUMNS, else 80.
int terminal_columns();

/// A line that takes less than so many columns: bar, share and counts; where there is no room for all, a
/// shorter bar, then none, then fewer counts.
std::string bar_line(const pipeline::Progress& progress, int columns, const BarCells& cells);

/// "36/480 frames, 12.50 frames/s, 0:36 left, 1 failure"
std::string progress_counts(const pipeline::Progress& progress);

/// Whether stdout leads to a terminal. Open MPI gives each rank one of its own as stdout, wherever the output
/// goes; the root's parent, mpirun, has the real one.
bool stdout_is_terminal();

}  // namespace atelier::cli
