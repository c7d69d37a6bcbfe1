#include "atelier/pipeline/picture_folder.h"
#include "train_pictures.h"

namespace atelier::cli {

training::PictureSet read_picture_set(const std::filesystem::path& photos,
                                      const std::filesystem::path& styles, int short_side_px) {
  training::PictureSet set(short_side_px);
  const auto add_folder = [&](training::PictureSet::Kind kind, const std::filesystem::path& folder) {
    pipeline::read_picture_folder(folder, [&](const pipeline::NamedPicture& picture) {
      set.add(kind, picture.name, picture.width_px, picture.height_px, picture.rgb);
    });
  };
  add_folder(training::PictureSet::Kind::photo, photos);
  add_folder(training::PictureSet::Kind::style, styles);
  return set;
}

}  // namespace atelier::cli
