#pragma once

#include <cstdint>

namespace atelier {

/// Gives memory that was freed back to the system. Chunks come and go in many threads, and each thread's part
/// of the heap keeps its holes: without this a job's memory grows with the length of the video.
void release_free_memory();

/// The most memory that this process has held so far.
std::int64_t peak_memory_bytes();

}  // namespace atelier
