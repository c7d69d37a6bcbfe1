#include "owner_mark_file.h"

#include "sealed_json.h"

namespace atelier::io {
namespace {

using nlohmann::ordered_json;

constexpr const char* format = "atelier owner";
constexpr int format_version = 1;

}  // namespace

Buffer serialise_mark(const StoredMark& mark) {
  ordered_json object({{"format", format},
                       {"format_version", format_version},
                       {"start_id", mark.start_id},
                       {"sequence", mark.sequence},
                       {"phase", mark.running ? "running" : "starting"}});
  add_process(object, mark.process);
  return seal_json(object);
}

std::optional<StoredMark> parse_mark(std::span<const std::byte> bytes) {
  const OpenedJson opened = open_sealed_json(bytes, format, format_version);
  if (!opened.content) return std::nullopt;
  const ordered_json& object = *opened.content;
  try {
    return StoredMark{text_member(object, "start_id"), count_member(object, "sequence"),
                      text_member(object, "phase") != "starting", process_members(object)};
  } catch (const JsonFault&) {
    return std::nullopt;
  }
}

}  // namespace atelier::io
