// Writes the seeds of the fuzzers: fuzz_seeds FOLDER (tests/fuzz/corpus).
#include <cstdio>
#include <exception>
#include <filesystem>
#include <utility>

#include "atelier/base/handle.h"
#include "seeds.h"

namespace atelier::fuzz {

Seeds::Seeds(std::filesystem::path folder) : folder_(std::move(folder)) {
  std::filesystem::create_directories(folder_);
}

void Seeds::write(const std::string& name, std::span<const std::byte> bytes) const {
  write_file_once(folder_ / name, bytes);
}

std::vector<std::byte> with_number(std::span<const std::byte> bytes, std::size_t offset,
                                   std::uint64_t value) {
  std::vector<std::byte> changed(bytes.begin(), bytes.end());
  for (std::size_t i = 0; i < sizeof value; ++i)
    changed.at(offset + i) = static_cast<std::byte>(value >> (8 * i));
  return changed;
}

}  // namespace atelier::fuzz

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: fuzz_seeds FOLDER\n", stderr);
    return 2;
  }
  try {
    namespace fuzz = atelier::fuzz;
    const std::filesystem::path folder = argv[1];
    fuzz::write_segment_seeds(fuzz::Seeds(folder / "segment"));
    fuzz::write_state_seeds(fuzz::Seeds(folder / "state"));
    fuzz::write_protocol_seeds(fuzz::Seeds(folder / "protocol"));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "fuzz_seeds: error: %s\n", error.what());
    return 1;
  }
  return 0;
}
