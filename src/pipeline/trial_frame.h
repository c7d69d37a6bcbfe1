#pragma once

#include <string>

#include "atelier/frame/video_format.h"
#include "atelier/models/style_engine.h"

namespace atelier::pipeline {

/// What this CPU makes of a trial frame, as 16 hex digits: a hash of all floats and samples on the way of a
/// frame of noise from planes to styled planes. Libraries choose their kernels, and so the order of sums, by
/// instruction set, vendor, cache sizes and shapes. Frames of one job have one shape; so where two CPUs take
/// different ways, the noise of every pixel tells.
///
/// For a thread that models::prepare_compute_thread has prepared. Takes as long as a frame. Where the engine
/// cannot do it, says so instead.
std::string trial_frame_bits(models::StyleEngine& engine, const VideoFormat& format);

}  // namespace atelier::pipeline
