#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <span>
#include <string>

#include "atelier/base/buffer.h"

namespace atelier::models {

/// A safetensors file (huggingface.co/docs/safetensors): tensors by name, and its string metadata.
struct TensorFile {
  std::map<std::string, at::Tensor> tensors;  ///< on the CPU, contiguous, in the file's own type
  std::map<std::string, std::string> metadata;
};

/// Parses a whole file; tensors own their memory. name is for messages.
/// Throws UsageError for a header or data that are cut, overlap, or leave the file.
TensorFile parse_safetensors(std::span<const std::byte> bytes, const std::string& name);
/// Types F32, F16, BF16, F64, I64, I32, U8.
Buffer write_safetensors(const TensorFile& file);

}  // namespace atelier::models
