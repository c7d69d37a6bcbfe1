#include "atelier/io/fingerprint.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "atelier/base/error.h"
#include "atelier/base/text.h"

namespace atelier::io {
namespace {

constexpr std::size_t max_differences_said = 6;

const Fact* find(const Fingerprint& fingerprint, const std::string& name) {
  const auto found = std::ranges::find(fingerprint.facts(), name, &Fact::name);
  return found == fingerprint.facts().end() ? nullptr : &*found;
}

std::string shown(const std::string& value) {
  return value.empty() ? "nothing" : value;
}

}  // namespace

std::string valid_utf8(std::string_view text) {
  using nlohmann::json;
  return json::parse(json(text).dump(-1, ' ', false, json::error_handler_t::replace)).get<std::string>();
}

void Fingerprint::add(std::string_view name, std::string_view value) {
  Fact fact{valid_utf8(name), valid_utf8(value)};
  if (find(*this, fact.name) != nullptr)
    throw JobError(concat("'", fact.name, "' is in the fingerprint twice"));
  facts_.push_back(std::move(fact));
}

Hash128 Fingerprint::hash() const {
  std::string text;
  for (const Fact& fact : facts_)
    for (const std::string* part : {&fact.name, &fact.value}) text += concat(part->size(), ":", *part);
  return hash128(std::as_bytes(std::span(text)));
}

std::string differences(const Fingerprint& before, const Fingerprint& now) {
  std::vector<std::string> all;
  for (const Fact& fact : before.facts()) {
    const Fact* other = find(now, fact.name);
    if (other == nullptr) {
      all.push_back(concat(fact.name, " (", shown(fact.value), ") is no longer there"));
    } else if (other->value != fact.value) {
      all.push_back(concat(fact.name, " changed from ", shown(fact.value), " to ", shown(other->value)));
    }
  }
  for (const Fact& fact : now.facts())
    if (find(before, fact.name) == nullptr)
      all.push_back(concat(fact.name, " (", shown(fact.value), ") is new"));
  if (all.empty() && before != now) return "the order of the settings changed";
  if (all.size() > max_differences_said) {
    const std::size_t num_more = all.size() - max_differences_said;
    all.resize(max_differences_said);
    all.push_back(concat(num_more, " more"));
  }
  return join(all, "; ");
}

}  // namespace atelier::io
