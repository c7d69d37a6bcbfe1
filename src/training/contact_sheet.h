#pragma once

#include <filesystem>

#include "atelier/models/adaptive_network.h"
#include "atelier/training/picture_set.h"

namespace atelier::training {

/// A picture (PPM) to judge weights by: styles of the set across, photographs down, the styled ones between.
/// Up to six styles and four photographs, spread evenly over the set by name. Throws JobError.
void write_contact_sheet(const std::filesystem::path& path, const models::AdaptiveNetwork& network,
                         const PictureSet& set);

}  // namespace atelier::training
