#pragma once

#include <cstring>

/// Put before a function that is to be compiled for AVX-512, AVX2 and the plain instruction set; the program
/// picks one when it starts, before the thread sanitizer is ready for that. What it calls must be inlined
/// into it: mark that ATELIER_INLINE.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_THREAD__)
#define ATELIER_MULTIVERSION __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define ATELIER_MULTIVERSION
#endif
#define ATELIER_INLINE [[gnu::always_inline]] inline

// Everything that takes or gives vectors is inlined, so how they are passed does not matter.
#pragma GCC diagnostic ignored "-Wpsabi"

namespace atelier::models {

template <int lanes>
struct VectorOf;
template <>
struct VectorOf<16> {
  using Floats = float __attribute__((vector_size(64)));
};
template <>
struct VectorOf<8> {
  using Floats = float __attribute__((vector_size(32)));
};
template <>
struct VectorOf<4> {
  using Floats = float __attribute__((vector_size(16)));
};
template <int lanes>
using Floats = typename VectorOf<lanes>::Floats;

/// address: of any alignment.
template <int lanes>
ATELIER_INLINE Floats<lanes> load(const float* address) {
  Floats<lanes> value;
  std::memcpy(&value, address, sizeof value);
  return value;
}
template <int lanes>
ATELIER_INLINE void store(float* address, const Floats<lanes>& value) {
  std::memcpy(address, &value, sizeof value);
}

}  // namespace atelier::models
