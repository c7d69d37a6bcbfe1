#include "preview.h"

#include <ATen/core/Tensor.h>

#include <cstring>
#include <filesystem>
#include <iostream>
#include <utility>

#include "atelier/base/error.h"
#include "atelier/base/text.h"
#include "atelier/media/picture.h"
#include "atelier/tensor/planes_converter.h"
#include "job.h"

namespace atelier::pipeline {

void write_preview(Job& job) {
  const std::filesystem::path& output = job.config.output;
  const std::optional<FramePlanes> frame = job.reader.read();
  if (!frame)
    throw UsageError(concat("no frame at --preview ", *job.config.preview_s), "the video ends before it",
                     "Choose an earlier time");
  const bool gpu = job.config.device != "cpu" && tensor::num_gpus() > 0;
  const tensor::Device device{gpu ? tensor::DeviceKind::cuda : tensor::DeviceKind::cpu, 0};
  const auto engine = models::make_engine(job.engine, device);
  const at::Tensor styled =
      engine->stylise(tensor::PlanesConverter(job.input().format, device).to_rgb(frame->planes.bytes()));
  const at::Tensor rows = styled.squeeze(0).permute({1, 2, 0}).to(at::kCPU, at::kFloat).contiguous();
  media::Picture picture;
  picture.height_px = static_cast<int>(rows.size(0));
  picture.width_px = static_cast<int>(rows.size(1));
  picture.rgb.resize(static_cast<std::size_t>(rows.numel()));
  std::memcpy(picture.rgb.data(), rows.const_data_ptr<float>(), picture.rgb.size() * sizeof(float));
  media::write_png(output, media::upright(std::move(picture), job.input()));
}

void describe_dry_run(const Job& job, int num_ranks) {
  const media::InputInfo& input = job.input();
  std::cout << "input:   " << input.path.string() << ", " << input.codec << " in " << input.container << ", "
            << input.format.width_px << "x" << input.format.height_px << " " << input.format.pixel_format
            << ", " << fixed(input.frame_rate.value(), 3) << " frames/s, " << fixed(input.duration_s, 2)
            << " s\n";
  std::cout << "stream:  " << input.stream_index
            << (input.stream_choice.empty() ? "" : concat(" (", input.stream_choice, ")")) << '\n';
  if (input.num_frames) {
    const std::int64_t frames = *input.num_frames;
    std::cout << "frames:  " << frames << " in " << (frames + job.chunk_frames - 1) / job.chunk_frames
              << " chunks of " << job.chunk_frames << " (as the container tells)\n";
  } else {
    std::cout << "frames:  unknown before decoding, in chunks of " << job.chunk_frames << '\n';
  }
  std::cout << "engine:  " << job.engine.kind << ", strength " << job.engine.strength << '\n';
  std::cout << "encoder: " << job.encoder.encoder << ' ' << job.encoder.pixel_format;
  for (const auto& [key, value] : job.encoder.options) std::cout << ' ' << key << '=' << value;
  std::cout << "\ndecode:  at the " << (job.decoding.at_workers ? "workers" : "root") << " ("
            << job.decoding.why << ')';
  std::cout << "\noutput:  " << job.config.output.string() << '\n';
  std::cout << "ranks:   " << num_ranks
            << (num_ranks == 1 ? " (works itself)" : " (the root and its workers)") << '\n';
  for (const std::string& warning : job.warnings) std::cout << "warning: " << warning << '\n';
}

}  // namespace atelier::pipeline
