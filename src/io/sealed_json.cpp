#include "sealed_json.h"

#include <cstring>
#include <string_view>

#include "atelier/base/hash.h"
#include "atelier/base/text.h"

namespace atelier::io {
namespace {

using nlohmann::ordered_json;

constexpr std::string_view ending = "\n}\n";
constexpr std::size_t num_hash_digits = 16;

/// The last member and what follows it.
std::string seal_of(std::string_view text) {
  return concat(",\n  \"xxh3\": \"", hex64(hash64(std::as_bytes(std::span(text)))), "\"", ending);
}

const std::size_t seal_bytes = seal_of("").size();

}  // namespace

Buffer seal_json(const ordered_json& content) {
  std::string text = content.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
  text.resize(text.size() - ending.size());
  text += seal_of(text);
  return Buffer(std::as_bytes(std::span(text)));
}

OpenedJson open_sealed_json(std::span<const std::byte> bytes, const std::string& format, int format_version) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (text.size() < seal_bytes) return {std::nullopt, "it is cut"};
  const std::string_view body = text.substr(0, text.size() - seal_bytes);
  const std::string seal = seal_of(body);
  const std::size_t before_digits = seal_bytes - num_hash_digits - ending.size() - 1;
  const std::string_view found_seal = text.substr(body.size());
  if (found_seal.substr(0, before_digits) != std::string_view(seal).substr(0, before_digits))
    return {std::nullopt, "it is cut, or no file of ours"};
  if (found_seal != seal) return {std::nullopt, "its hash is wrong"};

  ordered_json content = ordered_json::parse(text, nullptr, false);
  if (!content.is_object()) return {std::nullopt, "it is no JSON object"};
  try {
    if (text_member(content, "format") != format)
      return {std::nullopt,
              concat("its format is '", text_member(content, "format"), "', not '", format, "'")};
    if (const std::int64_t version = count_member(content, "format_version"); version != format_version)
      return {std::nullopt,
              concat("its format has version ", version, ", this program reads ", format_version)};
  } catch (const JsonFault& fault) {
    return {std::nullopt, fault.what()};
  }
  return {std::move(content), {}};
}

const ordered_json& member(const ordered_json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end()) throw JsonFault(concat("it has no '", name, "'"));
  return *found;
}

std::string text_member(const ordered_json& object, const char* name) {
  const ordered_json& value = member(object, name);
  if (!value.is_string()) throw JsonFault(concat("its '", name, "' is no text"));
  return value.get<std::string>();
}

bool flag_member(const ordered_json& object, const char* name) {
  const ordered_json& value = member(object, name);
  if (!value.is_boolean()) throw JsonFault(concat("its '", name, "' is neither true nor false"));
  return value.get<bool>();
}

std::int64_t count_member(const ordered_json& object, const char* name) {
  const ordered_json& value = member(object, name);
  if (!value.is_number_integer() || value.get<std::int64_t>() < 0)
    throw JsonFault(concat("its '", name, "' is no count"));
  return value.get<std::int64_t>();
}

std::optional<std::int64_t> optional_count_member(const ordered_json& object, const char* name) {
  if (member(object, name).is_null()) return std::nullopt;
  return count_member(object, name);
}

void add_process(ordered_json& object, const ProcessIdentity& process) {
  object["host"] = process.host;
  object["pid"] = process.pid;
  object["boot_id"] = process.boot_id;
  object["pid_namespace"] = process.pid_namespace;
  object["start_ticks"] = process.start_ticks;
}

ProcessIdentity process_members(const ordered_json& object) {
  return {text_member(object, "host"), text_member(object, "boot_id"), text_member(object, "pid_namespace"),
          count_member(object, "pid"), count_member(object, "start_ticks")};
}

}  // namespace atelier::io
