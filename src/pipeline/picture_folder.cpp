#include "atelier/pipeline/picture_folder.h"

#include <utility>

#include "atelier/base/error.h"
#include "atelier/base/log.h"
#include "atelier/base/text.h"
#include "atelier/media/picture.h"
#include "atelier/media/picture_row.h"

namespace atelier::pipeline {

void read_picture_folder(const std::filesystem::path& folder, const std::function<void(NamedPicture)>& take) {
  int num_taken = 0;
  for (const auto& path : media::list_pictures(folder)) {
    media::Picture picture;
    try {
      picture = media::read_picture(path);
    } catch (const UsageError& error) {
      log::warning(concat(error.what(), " It is left out."));
      continue;
    }
    take({path.filename().string(), picture.width_px, picture.height_px, std::move(picture.rgb)});
    ++num_taken;
  }
  if (num_taken == 0)
    throw UsageError("no readable picture in " + folder.string(), "",
                     "Name a folder of jpg, png or other pictures.");
}

}  // namespace atelier::pipeline
