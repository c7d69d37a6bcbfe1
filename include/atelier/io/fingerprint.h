#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "atelier/base/hash.h"

namespace atelier::io {

/// The text with U+FFFD for each byte that is not UTF-8: as it stands in JSON.
std::string valid_utf8(std::string_view text);

/// One thing that the bits of an output depend on.
struct Fact {
  std::string name;  ///< as users know it: "--crf", "size of the input"
  std::string value;
  bool operator==(const Fact&) const = default;
};

/// All that the bits of an output depend on, as named facts in a fixed order. Only segments with the same
/// fingerprint may stand in one video.
class Fingerprint {
 public:
  /// Bytes that are not UTF-8 become U+FFFD. Throws JobError for a name that is there already.
  void add(std::string_view name, std::string_view value);

  [[nodiscard]] const std::vector<Fact>& facts() const noexcept { return facts_; }
  /// XXH3 of names, values and order.
  [[nodiscard]] Hash128 hash() const;
  bool operator==(const Fingerprint&) const = default;

 private:
  std::vector<Fact> facts_;
};

/// "style weights changed from 0.7,0.3 to 1; --crf changed from 18 to 20", at most six of them and how many
/// more; empty: they are the same.
std::string differences(const Fingerprint& before, const Fingerprint& now);

}  // namespace atelier::io
