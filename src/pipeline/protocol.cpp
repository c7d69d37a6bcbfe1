#include "atelier/pipeline/protocol.h"

#include <cstring>
#include <nlohmann/json.hpp>
#include <type_traits>
#include <utility>

#include "atelier/base/text.h"
#include "atelier/frame/message_bytes.h"

namespace atelier::pipeline {
namespace {

using nlohmann::json;

// Runs a reader of JSON and turns its exceptions into ours.
template <typename Function>
auto guarded(Function function) {
  try {
    return function();
  } catch (const json::exception& e) {
    throw_malformed_message(e.what());
  }
}

/// A whole number that T can hold. The library would convert any number, also where that is undefined.
template <typename T>
T integer(const json& value) {
  const bool fits = value.is_number_unsigned()
                        ? std::in_range<T>(value.get<std::uint64_t>())
                        : value.is_number_integer() && std::in_range<T>(value.get<std::int64_t>());
  if (!fits) throw_malformed_message("a number in it is not whole, or out of range");
  return value.get<T>();
}

Buffer pack_json(const json& value) {
  return pack(value.dump());
}
json unpack_json(const Buffer& bytes) {
  return json::parse(unpack_text(bytes));
}

json format_json(const VideoFormat& f) {
  return {{"width_px", f.width_px},
          {"height_px", f.height_px},
          {"model", static_cast<int>(f.model)},
          {"bit_depth", f.bit_depth},
          {"log2_chroma_w", f.log2_chroma_w},
          {"log2_chroma_h", f.log2_chroma_h},
          {"has_alpha", f.has_alpha},
          {"range", static_cast<int>(f.range)},
          {"matrix_coefficients", f.matrix_coefficients},
          {"siting", static_cast<int>(f.siting)},
          {"pixel_format", f.pixel_format}};
}

VideoFormat format_from(const json& j) {
  VideoFormat f;
  f.width_px = integer<int>(j.at("width_px"));
  f.height_px = integer<int>(j.at("height_px"));
  f.model = static_cast<ColorModel>(integer<int>(j.at("model")));
  f.bit_depth = integer<int>(j.at("bit_depth"));
  f.log2_chroma_w = integer<int>(j.at("log2_chroma_w"));
  f.log2_chroma_h = integer<int>(j.at("log2_chroma_h"));
  f.has_alpha = j.at("has_alpha");
  f.range = static_cast<ColorRange>(integer<int>(j.at("range")));
  f.matrix_coefficients = integer<int>(j.at("matrix_coefficients"));
  f.siting = static_cast<ChromaSiting>(integer<int>(j.at("siting")));
  f.pixel_format = j.at("pixel_format");
  return f;
}

void append(Buffer& out, std::size_t& at, std::span<const std::byte> bytes) {
  if (!bytes.empty()) std::memcpy(out.data() + at, bytes.data(), bytes.size());
  at += bytes.size();
}

}  // namespace

Buffer pack(const std::string& text) {
  return Buffer(std::as_bytes(std::span(text)));
}

std::string unpack_text(const Buffer& bytes) {
  std::string text(bytes.size(), '\0');
  if (!bytes.empty()) std::memcpy(text.data(), bytes.data(), bytes.size());
  return text;
}

Buffer pack(const WorkerHello& hello) {
  return pack_json({{"host", hello.host},
                    {"build", hello.build},
                    {"gpus", hello.gpus},
                    {"boot_id", hello.process.boot_id},
                    {"pid_namespace", hello.process.pid_namespace},
                    {"pid", hello.process.pid},
                    {"start_ticks", hello.process.start_ticks}});
}

WorkerHello unpack_hello(const Buffer& bytes) {
  return guarded([&] {
    const json j = unpack_json(bytes);
    return WorkerHello{j.at("host"),
                       j.at("build"),
                       j.at("gpus"),
                       {j.at("host"), j.at("boot_id"), j.at("pid_namespace"),
                        integer<std::int64_t>(j.at("pid")), integer<std::int64_t>(j.at("start_ticks"))}};
  });
}

// An 8-byte length, that many bytes of JSON, then the weights, the style, the encoder, the decoder and
// names, which need not be UTF-8, as they are.
Buffer pack(const WorkerSetup& setup) {
  const std::string text = json{{"format", format_json(setup.format)},
                                {"engine", setup.engine.kind},
                                {"strength", setup.engine.strength},
                                {"precision", static_cast<int>(setup.engine.precision)},
                                {"simulated_ms", setup.engine.simulated_ms},
                                {"weights_bytes", setup.engine.weights.size()},
                                {"style_bytes", setup.engine.style.size()},
                                {"encoder_bytes", setup.encoder.size()},
                                {"decoder_bytes", setup.decoder.size()},
                                {"device", setup.device ? static_cast<int>(setup.device->kind) : -1},
                                {"device_index", setup.device ? setup.device->index : 0},
                                {"num_workers_here", setup.num_workers_here},
                                {"credits", setup.credits},
                                {"log_dir_bytes", setup.log_dir.size()},
                                {"log_name_bytes", setup.log_name.size()},
                                {"simulated_processor_bytes", setup.simulated_processor.size()}}
                               .dump();
  const std::uint64_t length = text.size();
  Buffer out(sizeof length + text.size() + setup.engine.weights.size() + setup.engine.style.size() +
             setup.encoder.size() + setup.decoder.size() + setup.log_dir.size() + setup.log_name.size() +
             setup.simulated_processor.size());
  std::size_t at = 0;
  append(out, at, std::as_bytes(std::span(&length, 1)));
  append(out, at, std::as_bytes(std::span(text)));
  append(out, at, setup.engine.weights.bytes());
  append(out, at, setup.engine.style.bytes());
  append(out, at, setup.encoder.bytes());
  append(out, at, setup.decoder.bytes());
  for (const std::string* name : {&setup.log_dir, &setup.log_name, &setup.simulated_processor})
    append(out, at, std::as_bytes(std::span(*name)));
  return out;
}

WorkerSetup unpack_setup(const Buffer& bytes) {
  std::uint64_t length = 0;
  if (bytes.size() < sizeof length) throw_malformed_message("it is cut");
  std::memcpy(&length, bytes.data(), sizeof length);
  if (length > bytes.size() - sizeof length) throw_malformed_message("it is cut");
  return guarded([&] {
    const char* begin = reinterpret_cast<const char*>(bytes.data()) + sizeof length;
    const json j = json::parse(begin, begin + length);
    WorkerSetup setup;
    setup.format = format_from(j.at("format"));
    setup.engine.kind = j.at("engine");
    setup.engine.strength = j.at("strength");
    setup.engine.precision = static_cast<tensor::Precision>(integer<int>(j.at("precision")));
    setup.engine.simulated_ms = j.at("simulated_ms");
    const int kind = integer<int>(j.at("device"));
    setup.device.reset();
    if (kind >= 0) setup.device = {static_cast<tensor::DeviceKind>(kind), integer<int>(j.at("device_index"))};
    setup.num_workers_here = integer<int>(j.at("num_workers_here"));
    setup.credits = integer<int>(j.at("credits"));
    const auto weights = integer<std::size_t>(j.at("weights_bytes"));
    const auto style = integer<std::size_t>(j.at("style_bytes"));
    const auto encoder = integer<std::size_t>(j.at("encoder_bytes"));
    const auto decoder = integer<std::size_t>(j.at("decoder_bytes"));
    const auto log_dir = integer<std::size_t>(j.at("log_dir_bytes"));
    const auto log_name = integer<std::size_t>(j.at("log_name_bytes"));
    const auto simulated_processor = integer<std::size_t>(j.at("simulated_processor_bytes"));
    auto rest = bytes.bytes().subspan(sizeof length + length);
    const auto take = [&rest](std::size_t size) {
      if (size > rest.size()) throw_malformed_message("it is cut");
      Buffer part(rest.first(size));
      rest = rest.subspan(size);
      return part;
    };
    setup.engine.weights = take(weights);
    setup.engine.style = take(style);
    setup.encoder = take(encoder);
    setup.decoder = take(decoder);
    setup.log_dir = unpack_text(take(log_dir));
    setup.log_name = unpack_text(take(log_name));
    setup.simulated_processor = unpack_text(take(simulated_processor));
    if (!rest.empty()) throw_malformed_message("it is too long");
    return setup;
  });
}

Buffer pack(const WorkerReady& ready) {
  return pack_json({{"device", ready.device},
                    {"capability", ready.capability},
                    {"num_threads", ready.num_threads},
                    {"num_encoders", ready.num_encoders},
                    {"clock_s", ready.clock_s},
                    {"encoder_processor", ready.encoder_processor}});
}

WorkerReady unpack_ready(const Buffer& bytes) {
  return guarded([&] {
    const json j = unpack_json(bytes);
    return WorkerReady{j.at("device"),
                       j.at("capability"),
                       integer<int>(j.at("num_threads")),
                       integer<int>(j.at("num_encoders")),
                       j.at("clock_s"),
                       j.at("encoder_processor")};
  });
}

Buffer pack(const WorkerGoodbye& goodbye) {
  return pack_json({{"num_frames", goodbye.num_frames},
                    {"busy_s", goodbye.busy_s},
                    {"peak_memory_bytes", goodbye.peak_memory_bytes},
                    {"cpu_s", goodbye.cpu_s},
                    {"message_cpu_s", goodbye.message_cpu_s},
                    {"bytes_sent", goodbye.bytes_sent},
                    {"bytes_received", goodbye.bytes_received}});
}

WorkerGoodbye unpack_goodbye(const Buffer& bytes) {
  return guarded([&] {
    const json j = unpack_json(bytes);
    return WorkerGoodbye{integer<std::int64_t>(j.at("num_frames")),
                         j.at("busy_s"),
                         integer<std::int64_t>(j.at("peak_memory_bytes")),
                         j.at("cpu_s"),
                         j.at("message_cpu_s"),
                         integer<std::int64_t>(j.at("bytes_sent")),
                         integer<std::int64_t>(j.at("bytes_received"))};
  });
}

static_assert(std::is_trivially_copyable_v<FrameTimes>);

// The clock, then the rows as they are.
Buffer pack(const ChunkTimes& times) {
  const auto rows = std::as_bytes(std::span(times.frames));
  Buffer out(sizeof times.clock_s + rows.size());
  std::size_t at = 0;
  append(out, at, std::as_bytes(std::span(&times.clock_s, 1)));
  append(out, at, rows);
  return out;
}

ChunkTimes unpack_times(const Buffer& bytes) {
  ChunkTimes times;
  constexpr std::size_t head_bytes = sizeof times.clock_s;
  if (bytes.size() < head_bytes || (bytes.size() - head_bytes) % sizeof(FrameTimes) != 0)
    throw_malformed_message("frame times are cut");
  std::memcpy(&times.clock_s, bytes.data(), head_bytes);
  times.frames.resize((bytes.size() - head_bytes) / sizeof(FrameTimes));
  if (!times.frames.empty())
    std::memcpy(times.frames.data(), bytes.data() + head_bytes, bytes.size() - head_bytes);
  return times;
}

}  // namespace atelier::pipeline
