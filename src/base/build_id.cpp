#include "atelier/base/build_id.h"

#include <elf.h>
#include <link.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <span>

#include "atelier/base/error.h"

namespace atelier {
namespace {

std::string hex(std::span<const std::byte> bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const std::byte byte : bytes) {
    text += digits[std::to_integer<std::size_t>(byte >> 4)];
    text += digits[std::to_integer<std::size_t>(byte & std::byte{15})];
  }
  return text;
}

// The build id among the notes of a segment. A note is a header, then name and description, each padded to
// the segment's alignment (System V gABI, "Note Section"; 8 only where the linker says so).
std::string build_id_in(std::span<const std::byte> notes, std::size_t alignment) {
  const auto padded = [&](std::size_t size) { return (size + alignment - 1) / alignment * alignment; };
  constexpr std::array owner = {std::byte{'G'}, std::byte{'N'}, std::byte{'U'}, std::byte{0}};
  while (notes.size() >= sizeof(ElfW(Nhdr))) {
    ElfW(Nhdr) header;
    std::memcpy(&header, notes.data(), sizeof header);
    const std::size_t name_at = sizeof header;
    const std::size_t text_at = padded(name_at + header.n_namesz);
    if (text_at + header.n_descsz > notes.size()) break;
    if (header.n_type == NT_GNU_BUILD_ID &&
        std::ranges::equal(notes.subspan(name_at, header.n_namesz), owner))
      return hex(notes.subspan(text_at, header.n_descsz));
    notes = notes.subspan(std::min(notes.size(), padded(text_at + header.n_descsz)));
  }
  return {};
}

std::string build_id_of(const dl_phdr_info& object) {
  for (const ElfW(Phdr) & segment : std::span(object.dlpi_phdr, object.dlpi_phnum)) {
    if (segment.p_type != PT_NOTE) continue;
    const auto* begin = reinterpret_cast<const std::byte*>(object.dlpi_addr + segment.p_vaddr);
    std::string id = build_id_in({begin, segment.p_memsz}, segment.p_align == 8 ? 8 : 4);
    if (!id.empty()) return id;
  }
  return {};
}

// All objects of this process; the program itself comes first and has no name.
std::vector<LoadedLibrary> loaded_objects() {
  std::vector<LoadedLibrary> objects;
  dl_iterate_phdr(
      [](dl_phdr_info* object, std::size_t, void* list) {
        const std::string_view path = object->dlpi_name;
        static_cast<std::vector<LoadedLibrary>*>(list)->push_back(
            {std::string(path.substr(path.rfind('/') + 1)), build_id_of(*object)});
        return 0;
      },
      &objects);
  return objects;
}

}  // namespace

const std::string& build_id() {
  static const std::string id = [] {
    const std::vector<LoadedLibrary> objects = loaded_objects();
    if (objects.empty() || objects.front().build_id.empty())
      throw JobError("this program cannot be told from others", "its linker wrote no build id",
                     "Link it with --build-id=sha1, as CMakeLists.txt does");
    return objects.front().build_id;
  }();
  return id;
}

std::vector<LoadedLibrary> loaded_libraries(const std::vector<std::string_view>& prefixes) {
  std::vector<LoadedLibrary> objects = loaded_objects();
  std::erase_if(objects, [&](const LoadedLibrary& object) {
    return std::ranges::none_of(prefixes,
                                [&](std::string_view prefix) { return object.file.starts_with(prefix); });
  });
  std::ranges::sort(objects, {}, &LoadedLibrary::file);
  return objects;
}

}  // namespace atelier
