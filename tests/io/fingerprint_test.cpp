#include "atelier/io/fingerprint.h"

#include <gtest/gtest.h>

#include "atelier/base/error.h"

namespace atelier::io {
namespace {

Fingerprint made_of(const std::vector<Fact>& facts) {
  Fingerprint fingerprint;
  for (const Fact& fact : facts) fingerprint.add(fact.name, fact.value);
  return fingerprint;
}

TEST(Fingerprint, hash_depends_on_every_name_value_and_place) {
  const Hash128 hash = made_of({{"a", "1"}, {"b", "2"}}).hash();
  EXPECT_EQ(made_of({{"a", "1"}, {"b", "2"}}).hash(), hash);
  EXPECT_NE(made_of({{"a", "1"}, {"b", "3"}}).hash(), hash);
  EXPECT_NE(made_of({{"a", "1"}, {"c", "2"}}).hash(), hash);
  EXPECT_NE(made_of({{"b", "2"}, {"a", "1"}}).hash(), hash);
  EXPECT_NE(made_of({{"a", "1"}}).hash(), hash);
  EXPECT_NE(made_of({{"a", "12"}, {"b", ""}}).hash(), made_of({{"a", "1"}, {"b", "2"}}).hash());
  EXPECT_NE(made_of({{"a", "1:b"}}).hash(), made_of({{"a1:", "b"}}).hash());
}

// Work directories outlive the program that wrote them: the hash of the same facts stays what it is.
TEST(Fingerprint, hash_is_that_of_lengths_and_texts) {
  const std::string text = "5:--crf2:18";
  EXPECT_EQ(made_of({{"--crf", "18"}}).hash(), hash128(std::as_bytes(std::span(text))));
}

TEST(Fingerprint, differences_are_said) {
  const Fingerprint before = made_of({{"style weights", "0.7,0.3"}, {"--crf", "18"}, {"--height", "720"}});
  EXPECT_EQ(differences(before, before), "");
  EXPECT_EQ(differences(before, made_of({{"style weights", "1"}, {"--crf", "20"}, {"--height", "720"}})),
            "style weights changed from 0.7,0.3 to 1; --crf changed from 18 to 20");
  EXPECT_EQ(differences(before, made_of({{"style weights", ""}, {"--crf", "18"}, {"--smooth", "0.5"}})),
            "style weights changed from 0.7,0.3 to nothing; --height (720) is no longer there; --smooth "
            "(0.5) is new");
  EXPECT_EQ(differences(made_of({{"a", "1"}, {"b", "2"}}), made_of({{"b", "2"}, {"a", "1"}})),
            "the order of the settings changed");
}

TEST(Fingerprint, many_differences_are_counted) {
  Fingerprint before;
  Fingerprint now;
  for (const char* name : {"a", "b", "c", "d", "e", "f", "g", "h"}) {
    before.add(name, "1");
    now.add(name, "2");
  }
  const std::string text = differences(before, now);
  EXPECT_TRUE(text.ends_with("f changed from 1 to 2; 2 more")) << text;
}

TEST(Fingerprint, takes_any_bytes_but_no_name_twice) {
  Fingerprint fingerprint;
  fingerprint.add("input", "caf\xe9.mp4");
  EXPECT_EQ(fingerprint.facts()[0].value, "caf\xef\xbf\xbd.mp4");
  EXPECT_THROW(fingerprint.add("input", "x"), JobError);
}

}  // namespace
}  // namespace atelier::io
