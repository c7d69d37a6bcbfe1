#pragma once

#include <cerrno>
#include <cstdint>
#include <exception>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "atelier/base/buffer.h"
#include "atelier/io/file_operations.h"
#include "atelier/io/owner_mark.h"

namespace atelier::io {

/// More than any of our JSON files has.
inline constexpr std::size_t max_json_bytes = std::size_t{1} << 20;

/// JSON text, indented, whose last member "xxh3" is the hash of all text before that member's line.
/// content: an object with at least one member. Bytes that are not UTF-8 become U+FFFD.
Buffer seal_json(const nlohmann::ordered_json& content);

struct OpenedJson {
  std::optional<nlohmann::ordered_json> content;  ///< an object
  std::string problem;                            ///< a clause, where there is none
};
/// Total. Takes whole and unchanged bytes of seal_json only, with this format name and version.
OpenedJson open_sealed_json(std::span<const std::byte> bytes, const std::string& format, int format_version);

/// What a member of opened JSON should be and is not.
class JsonFault : public std::exception {
 public:
  explicit JsonFault(std::string reason) : reason_(std::move(reason)) {}
  [[nodiscard]] const char* what() const noexcept override { return reason_.c_str(); }

 private:
  std::string reason_;
};
/// Each throws JsonFault where the member is missing or something else.
const nlohmann::ordered_json& member(const nlohmann::ordered_json& object, const char* name);
std::string text_member(const nlohmann::ordered_json& object, const char* name);
/// At least zero.
/// true or false.
bool flag_member(const nlohmann::ordered_json& object, const char* name);
std::int64_t count_member(const nlohmann::ordered_json& object, const char* name);
/// nullopt: null.
std::optional<std::int64_t> optional_count_member(const nlohmann::ordered_json& object, const char* name);

/// The members that say which process wrote it; all five are needed.
void add_process(nlohmann::ordered_json& object, const ProcessIdentity& process);
ProcessIdentity process_members(const nlohmann::ordered_json& object);

/// Creates a file under the next sequence whose name is free. make_path, make_bytes: of a sequence. Gives 0
/// or an errno; a failed one leaves nothing and its sequence is used up.
template <typename MakePath, typename MakeBytes>
int create_numbered(FileOperations& files, std::int64_t& sequence, const MakePath& make_path,
                    const MakeBytes& make_bytes) {
  constexpr int max_taken_names = 1000;
  int result = EEXIST;
  for (int i = 0; result == EEXIST && i < max_taken_names; ++i) {
    ++sequence;
    const Buffer bytes = make_bytes(sequence);
    result = files.create(make_path(sequence), bytes.bytes());
  }
  if (result != 0 && result != EEXIST) static_cast<void>(files.remove(make_path(sequence)));
  return result;
}

}  // namespace atelier::io
