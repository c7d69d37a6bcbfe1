#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace atelier::io {

inline constexpr const char* segments_folder = "segments";
inline constexpr const char* about_name = "about.txt";
inline constexpr const char* state_name = "state.json";
inline constexpr const char* state_kind = "state";
inline constexpr const char* owner_kind = "owner";

struct SegmentName {
  std::int64_t chunk_index = 0;
  std::string fingerprint_digits;  ///< 16
  std::string start_id;
  int attempt = 1;
};

/// attempt: from 1.
std::string segment_name(std::int64_t chunk_index, const std::string& fingerprint_digits,
                         const std::string& start_id, int attempt);
/// nullopt: segment_name makes no such name.
std::optional<SegmentName> parse_segment_name(std::string_view name);

/// "<kind>-<start id>-<sequence, 8 digits>.json", kind being "state" or "owner".
struct NumberedName {
  std::string start_id;
  std::int64_t sequence = 0;
};
std::string numbered_name(std::string_view kind, const std::string& start_id, std::int64_t sequence);
std::optional<NumberedName> parse_numbered_name(std::string_view kind, std::string_view name);

/// Letters and digits, at least one: what a start id is made of.
bool is_start_id(std::string_view text);

}  // namespace atelier::io
