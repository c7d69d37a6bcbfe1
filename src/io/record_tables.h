#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "atelier/io/record.h"

namespace atelier::io {

enum class ColumnKind { int32, int64, float32, float64, text };

/// A member of a row in memory and of the compound type in the file.
struct Column {
  const char* name;
  const char* units;  ///< "1": a plain number; empty: text
  ColumnKind kind;
  std::size_t offset_bytes;
};

/// A row type's place in the file. Text columns are `const char*` in memory, strings of any length in the
/// file.
struct Table {
  const char* name;
  const char* description;
  std::size_t row_bytes;
  std::span<const Column> columns;
};

/// RankRow with C strings.
struct PlainRankRow {
  std::int32_t rank;
  const char* role;
  const char* host;
  const char* device;
  std::int32_t num_threads;
  double start_s;
  double end_s;
  double busy_s;
  std::int64_t num_frames;
  std::int64_t peak_memory_bytes;
  double cpu_s;
  double message_cpu_s;
  std::int64_t bytes_sent;
  std::int64_t bytes_received;
  std::int64_t bytes_between_machines;
  std::int32_t num_encoders;
};

/// EventRow with C strings.
struct PlainEventRow {
  double time_s;
  std::int32_t rank;
  const char* kind;
  const char* text;
};

const Table& ranks_table();
const Table& chunks_table();
const Table& frames_table();
const Table& events_table();

}  // namespace atelier::io
