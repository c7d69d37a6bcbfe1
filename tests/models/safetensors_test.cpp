#include "atelier/models/safetensors.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/equal.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>

#include "atelier/base/error.h"

namespace atelier::models {
namespace {

/// A file from its header and the number of data bytes behind it (0, 1, 2 …).
Buffer file_of(const std::string& header, std::size_t num_data_bytes) {
  Buffer result(8 + header.size() + num_data_bytes);
  const std::uint64_t length = header.size();
  std::memcpy(result.data(), &length, 8);
  std::memcpy(result.data() + 8, header.data(), header.size());
  for (std::size_t i = 0; i < num_data_bytes; ++i) result.data()[8 + header.size() + i] = std::byte(i);
  return result;
}

TEST(Safetensors, GivesBackEveryTypeAndShape) {  // exact
  TensorFile file;
  for (const auto type : {at::kFloat, at::kHalf, at::kBFloat16, at::kDouble, at::kLong, at::kInt, at::kByte})
    file.tensors[toString(type)] = at::arange(6, at::kFloat).reshape({2, 3}).to(type);
  file.tensors["scalar"] = at::arange(1, at::kFloat)[0] + 7;
  file.tensors["empty"] = at::empty({0, 4}, at::kFloat);
  file.tensors["transposed"] = at::arange(6, at::kFloat).reshape({2, 3}).t();
  file.metadata = {{"network", "some \"name\""}};

  const Buffer bytes = write_safetensors(file);
  const TensorFile back = parse_safetensors(bytes.bytes(), "a file");

  EXPECT_EQ(back.metadata, file.metadata);
  ASSERT_EQ(back.tensors.size(), file.tensors.size());
  for (const auto& [name, tensor] : file.tensors) {
    const at::Tensor& read = back.tensors.at(name);
    EXPECT_EQ(read.scalar_type(), tensor.scalar_type()) << name;
    EXPECT_TRUE(at::equal(read, tensor)) << name;
    EXPECT_TRUE(read.is_contiguous()) << name;
  }
}

TEST(Safetensors, ReadsAFileAsTheSpecificationGivesIt) {  // exact
  const Buffer bytes =
      file_of(R"({"b":{"dtype":"U8","shape":[2,2],"data_offsets":[0,4]},"__metadata__":{"k":"v"}}   )", 4);
  const TensorFile file = parse_safetensors(bytes.bytes(), "a file");
  EXPECT_EQ(file.metadata.at("k"), "v");
  EXPECT_TRUE(at::equal(file.tensors.at("b"), at::arange(4, at::kByte).reshape({2, 2})));
}

TEST(Safetensors, WritesTheSameBytesForTheSameTensors) {  // exact
  TensorFile file;
  for (const char* name : {"z", "a", "m"}) file.tensors[name] = at::arange(3, at::kFloat);
  const Buffer first = write_safetensors(file);
  const Buffer second = write_safetensors(parse_safetensors(first.bytes(), "a file"));
  ASSERT_EQ(first.size(), second.size());
  EXPECT_EQ(std::memcmp(first.data(), second.data(), first.size()), 0);
}

TEST(Safetensors, RefusesEveryCut) {
  TensorFile file;
  file.tensors["a"] = at::arange(5, at::kFloat);
  const Buffer whole = write_safetensors(file);
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_THROW(parse_safetensors(whole.bytes().first(size), "cut"), UsageError) << size;
}

TEST(Safetensors, RefusesWhatDoesNotAddUp) {
  const auto refused = [](const std::string& header, std::size_t num_data_bytes) {
    const Buffer bytes = file_of(header, num_data_bytes);
    EXPECT_THROW(parse_safetensors(bytes.bytes(), "bad"), UsageError) << header;
  };
  refused("[]", 0);
  refused("{", 0);
  refused(R"({"a":1})", 0);
  refused(R"({"a":{"dtype":"U8","shape":[4]}})", 4);
  refused(R"({"a":{"dtype":"F8","shape":[4],"data_offsets":[0,4]}})", 4);   // unknown type
  refused(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[4,0]}})", 4);   // backwards
  refused(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,5]}})", 4);   // outside
  refused(R"({"a":{"dtype":"U8","shape":[3],"data_offsets":[0,4]}})", 4);   // another size
  refused(R"({"a":{"dtype":"U8","shape":[-4],"data_offsets":[0,4]}})", 4);  // negative
  refused(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}})", 5);   // data of nobody
  refused(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},)"
          R"("b":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}})",
          4);  // overlap
  refused(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
          R"("b":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}})",
          4);                                                                                   // hole
  refused(R"({"a":{"dtype":"F64","shape":[2305843009213693952,8],"data_offsets":[0,0]}})", 0);  // overflow
}

TEST(Safetensors, NamesTheFile) {
  try {
    parse_safetensors({}, "weights.bin");
    FAIL() << "an empty file was taken";
  } catch (const UsageError& error) {
    EXPECT_NE(std::string(error.what()).find("weights.bin"), std::string::npos);
  }
}

}  // namespace
}  // namespace atelier::models
