#include "atelier/schedule/encoder_choice.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <vector>

#include "atelier/schedule/policy.h"

namespace atelier::schedule {
namespace {

TEST(EncoderChoice, AWorkerEncodesWhileItKeepsUp) {
  EncoderChoice choice;
  choice.add(1, {"a", 2, false});
  choice.add(2, {"a", 4, true});
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(choice.choose(1), 1);
    EXPECT_EQ(choice.choose(1), 1);
    choice.styled(1, 1);
    choice.encoded(1);
    choice.styled(1, 1);
    choice.encoded(1);
  }
}

TEST(EncoderChoice, AHelperEncodesWhenTheWorkerIsBehind) {
  EncoderChoice choice;
  choice.add(1, {"a", 1, false});
  choice.add(2, {"a", 1, true});
  EXPECT_EQ(choice.choose(1), 1);
  EXPECT_EQ(choice.choose(1), 1);
  choice.styled(1, 1);
  choice.styled(1, 1);
  choice.encoded(1);
  EXPECT_EQ(choice.choose(1), 2);
  choice.styled(1, 2);
  EXPECT_EQ(choice.choose(1), 2);
  EXPECT_EQ(choice.choose(1), 1) << "the helper has no room";
  choice.encoded(2);
  EXPECT_EQ(choice.choose(1), 2);
  choice.dropped(2);
  EXPECT_EQ(choice.choose(1), 2);
  choice.encoded(1);
  choice.styled(1, 1);
  choice.encoded(1);
  for (int i = 0; i < 2; ++i) EXPECT_EQ(choice.choose(1), 1) << "it keeps up again";
}

TEST(EncoderChoice, AChunkThatAnotherHasStyledAfterAFailureCountsForItself) {
  EncoderChoice choice;
  choice.add(1, {"a", 2, false});
  choice.add(2, {"a", 2, true});
  choice.add(3, {"a", 2, false});
  for (int i = 0; i < 3; ++i) EXPECT_EQ(choice.choose(1), 1);
  choice.styled(1, 1);
  choice.styled(3, 1);  // the second one
  choice.encoded(1);
  EXPECT_EQ(choice.choose(1), 1);
  choice.styled(1, 1);
  choice.styled(1, 1);
  choice.encoded(1);
  EXPECT_EQ(choice.choose(1), 2) << "two were styled since the first was, which is encoded only now";
}

TEST(EncoderChoice, PrefersTheWorkersMachineThenRoomThenTheLowestRank) {
  EncoderChoice choice;
  choice.add(1, {"a", 1, false});
  choice.add(2, {"b", 8, true});
  choice.add(3, {"a", 1, true});
  choice.add(4, {"b", 8, true});
  for (int i = 0; i < 2; ++i) choice.choose(1);
  std::vector<int> chosen;
  for (int i = 0; i < 4; ++i) chosen.push_back(choice.choose(1));
  EXPECT_EQ(chosen, (std::vector<int>{3, 3, 2, 4}));
}

// A worker that styles a chunk each tick; each encoder takes some ticks for a chunk. Returns the ticks for
// all.
int simulate(int num_chunks, int encode_ticks, int num_helpers) {
  struct Rank {
    std::vector<int> ends;  // of the chunks that it encodes
    int num_waiting = 0;
  };
  EncoderChoice choice;
  std::map<int, Rank> ranks;
  for (int rank = 1; rank <= 1 + num_helpers; ++rank) {
    choice.add(rank, {"a", 1, rank > 1});
    ranks[rank];
  }
  int credits = credits_with_encoders(1);
  std::vector<int> to_style;  // who encodes each
  int num_dealt = 0;
  int num_encoded = 0;
  int tick = 0;
  for (; num_encoded < num_chunks && tick < 100000; ++tick) {
    for (; credits > 0 && num_dealt < num_chunks; --credits, ++num_dealt)
      to_style.push_back(choice.choose(1));
    if (!to_style.empty()) {
      const int encoder = to_style.front();
      to_style.erase(to_style.begin());
      choice.styled(1, encoder);
      ++ranks[encoder].num_waiting;
      if (encoder != 1) ++credits;
    }
    for (auto& [rank, state] : ranks) {
      if (std::erase(state.ends, tick) > 0) {
        choice.encoded(rank);
        ++num_encoded;
        if (rank == 1) ++credits;
      }
      if (state.ends.empty() && state.num_waiting > 0) {
        --state.num_waiting;
        state.ends.push_back(tick + encode_ticks);
      }
    }
  }
  return tick;
}

// Three encoders, each a third as fast as the worker styles, keep up with it.
TEST(EncoderChoice, HelpersCarryTheirShare) {
  const int alone = simulate(300, 3, 0);
  const int with_one = simulate(300, 3, 1);
  const int with_two = simulate(300, 3, 2);
  EXPECT_GE(alone, 900);
  EXPECT_LE(with_one, 480);
  EXPECT_LE(with_two, 345);
}

}  // namespace
}  // namespace atelier::schedule
