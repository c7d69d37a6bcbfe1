#include "decode_pool.h"

#include <exception>
#include <utility>

#include "atelier/base/exception_text.h"
#include "atelier/frame/frame_hash.h"
#include "atelier/media/packet_decoder.h"

namespace atelier::pipeline {
namespace {

constexpr std::size_t frames_ahead = 2;  // beside one for each thread

}  // namespace

DecodePool::DecodePool(Buffer setup, int num_threads)
    : setup_(std::move(setup)), done_(static_cast<std::size_t>(num_threads) + frames_ahead) {
  for (int i = 0; i < num_threads; ++i) threads_.emplace_back([this] { decode(); });
}

DecodePool::~DecodePool() {
  todo_.close();
  done_.close();
  for (std::thread& thread : threads_) thread.join();
}

void DecodePool::decode() {
  while (const std::optional<Task> task = todo_.pop()) {
    if (done_.closed()) return;
    DecodedChunk outcome = decode(*task);
    if (!done_.push({task->chunk_index, std::nullopt, std::move(outcome)})) return;
  }
}

// Whatever goes wrong, the root can decode the chunk itself.
DecodedChunk DecodePool::decode(const Task& task) {
  DecodedChunk outcome;
  try {
    Hasher hasher;
    media::PacketDecoder decoder(setup_.bytes());
    auto decoded = decoder.decode(task.packets.bytes(), [&](FramePlanes frame) {
      add_to_hash(hasher, frame);
      return done_.push({task.chunk_index, std::move(frame), {}});
    });
    outcome = {std::move(decoded.fault), hasher.digest(), decoded.num_decoded_frames};
  } catch (const std::exception& e) {
    outcome.fault = exception_text(e);
  }
  return outcome;
}

}  // namespace atelier::pipeline
