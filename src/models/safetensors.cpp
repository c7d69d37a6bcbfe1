#include "atelier/models/safetensors.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "atelier/base/error.h"
#include "atelier/base/text.h"

namespace atelier::models {
namespace {

static_assert(std::endian::native == std::endian::little, "safetensors data are little-endian");

struct NamedType {
  const char* name;
  at::ScalarType type;
};
constexpr std::array<NamedType, 7> types{{{"F32", at::kFloat},
                                          {"F16", at::kHalf},
                                          {"BF16", at::kBFloat16},
                                          {"F64", at::kDouble},
                                          {"I64", at::kLong},
                                          {"I32", at::kInt},
                                          {"U8", at::kByte}}};

constexpr std::size_t length_bytes = 8;
constexpr std::size_t max_header_bytes = 100'000'000;  // as in the reference implementation

struct Range {
  std::size_t first;
  std::size_t end;
};

[[noreturn]] void refuse(const std::string& name, const std::string& why) {
  throw UsageError("cannot read " + name, why, "Give a whole safetensors file.");
}

std::optional<at::ScalarType> type_of(const std::string& name) {
  for (const auto& known : types)
    if (name == known.name) return known.type;
  return std::nullopt;
}

const char* name_of(at::ScalarType type, const std::string& tensor) {
  for (const auto& known : types)
    if (type == known.type) return known.name;
  throw JobError("cannot write tensor " + tensor, "its type has no place in our safetensors files");
}

/// Bytes of a tensor, or nullopt when the count overflows or a side is negative.
std::optional<std::size_t> count_bytes(const std::vector<std::int64_t>& shape, std::size_t element_bytes) {
  std::size_t bytes = element_bytes;
  for (const std::int64_t side : shape) {
    if (side < 0) return std::nullopt;
    const auto length = static_cast<std::size_t>(side);
    if (length != 0 && bytes > std::numeric_limits<std::size_t>::max() / length) return std::nullopt;
    bytes *= length;
  }
  return bytes;
}

std::pair<at::Tensor, Range> read_tensor(const nlohmann::json& entry, std::span<const std::byte> data,
                                         const std::string& tensor, const std::string& name) {
  const auto type = type_of(entry.at("dtype").get<std::string>());
  if (!type) refuse(name, "tensor " + tensor + " has a type that is not supported");
  const auto shape = entry.at("shape").get<std::vector<std::int64_t>>();
  const auto offsets = entry.at("data_offsets").get<std::vector<std::size_t>>();
  const auto bytes = count_bytes(shape, c10::elementSize(*type));
  if (offsets.size() != 2 || offsets[0] > offsets[1] || offsets[1] > data.size())
    refuse(name, "tensor " + tensor + " lies outside the file: it is cut or damaged");
  if (!bytes || *bytes != offsets[1] - offsets[0])
    refuse(name, "the shape of tensor " + tensor + " does not fit its data");
  at::Tensor result = at::empty(shape, *type);
  if (*bytes > 0) std::memcpy(result.mutable_data_ptr(), data.data() + offsets[0], *bytes);
  return {result, {offsets[0], offsets[1]}};
}

}  // namespace

TensorFile parse_safetensors(std::span<const std::byte> bytes, const std::string& name) {
  std::uint64_t header_bytes = 0;
  if (bytes.size() < length_bytes) refuse(name, "it is too short for a safetensors file");
  std::memcpy(&header_bytes, bytes.data(), length_bytes);
  if (header_bytes > max_header_bytes || header_bytes > bytes.size() - length_bytes)
    refuse(name, "its header is cut, or it is no safetensors file");
  const char* const text = static_cast<const char*>(static_cast<const void*>(bytes.data())) + length_bytes;
  const auto header = nlohmann::json::parse(text, text + header_bytes, nullptr, false);
  if (!header.is_object()) refuse(name, "its header is no JSON object");

  const auto data = bytes.subspan(length_bytes + header_bytes);
  TensorFile file;
  std::vector<Range> ranges;
  try {
    for (const auto& [key, entry] : header.items()) {
      if (key == "__metadata__") {
        file.metadata = entry.get<std::map<std::string, std::string>>();
        continue;
      }
      auto [tensor, range] = read_tensor(entry, data, key, name);
      file.tensors.emplace(key, std::move(tensor));
      ranges.push_back(range);
    }
  } catch (const nlohmann::json::exception&) {
    refuse(name, "its header is malformed");
  }

  std::sort(ranges.begin(), ranges.end(),
            [](Range a, Range b) { return std::pair(a.first, a.end) < std::pair(b.first, b.end); });
  std::size_t end = 0;
  for (const Range range : ranges) {
    if (range.first != end) refuse(name, range.first < end ? "its tensors overlap" : "its data have holes");
    end = range.end;
  }
  if (end != data.size()) refuse(name, "it holds data that belong to no tensor");
  return file;
}

Buffer write_safetensors(const TensorFile& file) {
  std::vector<std::pair<std::string, at::Tensor>> tensors;
  for (const auto& [name, tensor] : file.tensors) tensors.emplace_back(name, tensor.cpu().contiguous());
  // Wide elements first: every tensor is then aligned to its elements.
  std::stable_sort(tensors.begin(), tensors.end(), [](const auto& a, const auto& b) {
    return a.second.element_size() > b.second.element_size();
  });

  nlohmann::json header = nlohmann::json::object();
  if (!file.metadata.empty()) header["__metadata__"] = file.metadata;
  std::size_t end = 0;
  for (const auto& [name, tensor] : tensors) {
    const std::size_t first = std::exchange(end, end + tensor.nbytes());
    header[name] = {{"dtype", name_of(tensor.scalar_type(), name)},
                    {"shape", tensor.sizes().vec()},
                    {"data_offsets", {first, end}}};
  }
  std::string text = header.dump();
  text.append((length_bytes - text.size() % length_bytes) % length_bytes, ' ');

  Buffer result(length_bytes + text.size() + end);
  const std::uint64_t header_bytes = text.size();
  std::memcpy(result.data(), &header_bytes, length_bytes);
  std::memcpy(result.data() + length_bytes, text.data(), text.size());
  std::byte* out = result.data() + length_bytes + text.size();
  for (const auto& [name, tensor] : tensors) {
    if (tensor.nbytes() > 0) std::memcpy(out, tensor.const_data_ptr(), tensor.nbytes());
    out += tensor.nbytes();
  }
  return result;
}

}  // namespace atelier::models
