#include "atelier/pipeline/describe.h"

#include <sstream>

#include "atelier/base/handle.h"
#include "atelier/base/text.h"
#include "atelier/base/version.h"
#include "atelier/io/record.h"
#include "atelier/media/muxer.h"
#include "atelier/media/picture_row.h"
#include "atelier/media/video_reader.h"
#include "atelier/pipeline/protocol.h"
#include "atelier/tensor/device.h"
#include "atelier/transport/mpi_communicator.h"

namespace atelier::pipeline {

std::string describe_build() {
  std::ostringstream out;
  out << build_text() << "\nlibtorch " << tensor::library_versions() << '\n'
      << media::library_versions() << '\n'
      << io::library_versions() << '\n';
#if ATELIER_MPI
  out << transport::mpi_library_version() << '\n';
#else
  out << "no MPI: one rank only\n";
#endif
  out << host_name() << ": " << tensor::device_name({tensor::DeviceKind::cpu, 0}) << ", "
      << tensor::num_usable_cores() << " cores usable\n";
  const int num_gpus = tensor::num_gpus();
  for (int gpu = 0; gpu < num_gpus; ++gpu)
    out << "GPU " << gpu << ": " << tensor::device_name({tensor::DeviceKind::cuda, gpu}) << '\n';
  if (num_gpus == 0) out << "no GPU\n";
  return out.str();
}

std::string describe_input(const std::filesystem::path& path) {
  media::quiet_libraries();
  const media::VideoReader reader({.path = path});
  const media::InputInfo& info = reader.info();
  std::ostringstream out;
  out << path.string() << ": " << info.container;
  if (info.duration_s > 0) out << ", " << human_duration(info.duration_s);
  if (info.num_frames) out << ", " << *info.num_frames << " frames";
  out << '\n';
  for (const media::StreamSummary& stream : info.streams) {
    out << "  stream " << stream.index << ": " << stream.kind;
    if (!stream.codec.empty()) out << ", " << stream.codec;
    if (!stream.description.empty()) out << ", " << stream.description;
    if (!stream.language.empty()) out << ", language " << stream.language;
    if (stream.cover_art) out << ", cover art";
    if (stream.styled) out << ", would be styled";
    if (stream.styled && !info.stream_choice.empty()) out << " (" << info.stream_choice << ')';
    out << '\n';
  }
  if (const std::string missing = media::missing_numbers(media::picture_row(path)); !missing.empty())
    out << "  " << missing << '\n';
  return out.str();
}

}  // namespace atelier::pipeline
