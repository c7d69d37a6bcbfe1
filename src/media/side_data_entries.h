#pragma once

#include <cstddef>
#include <vector>

namespace atelier::media {

/// One entry of packed side data; type is AVFrameSideDataType or AVPacketSideDataType.
struct SideDataEntry {
  int type = 0;
  std::vector<std::byte> data;
};
std::vector<std::byte> pack_entries(const std::vector<SideDataEntry>& entries);
/// Throws JobError for bytes that pack_entries did not make.
std::vector<SideDataEntry> unpack_entries(const std::vector<std::byte>& bytes);

}  // namespace atelier::media
