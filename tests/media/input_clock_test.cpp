#include "input_clock.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace atelier::media {
namespace {

using Stamp = InputClock::Stamp;

constexpr std::int64_t ms = 1'000'000;
constexpr std::int64_t frame = 40 * ms;
constexpr std::int64_t sound = 21 * ms;
constexpr std::int64_t wrap = 95443717 * ms;
constexpr int picture_stream = 0;
constexpr int sound_stream = 1;
constexpr int subtitle_stream = 2;

Stamp picture(std::int64_t dts_ns, std::int64_t delay_ns = 0) {
  Stamp stamp{.stream = picture_stream, .dts_ns = dts_ns, .pts_ns = dts_ns + delay_ns, .duration_ns = frame};
  stamp.is_video = stamp.is_key = true;
  stamp.wrap_ns = wrap;
  return stamp;
}
Stamp sample(std::int64_t dts_ns) {
  return {.stream = sound_stream, .dts_ns = dts_ns, .pts_ns = dts_ns, .duration_ns = sound, .wrap_ns = wrap};
}
Stamp subtitle(std::int64_t pts_ns) {
  return {.stream = subtitle_stream, .dts_ns = pts_ns, .pts_ns = pts_ns, .is_steady = false};
}

/// A recording: pictures and sound from start on, the sound late by some bytes in the file, as in a transport
/// stream.
struct Recording {
  std::int64_t start_ns = 0;
  std::int64_t length_ns = 2000 * ms;
  std::int64_t sound_begins_ns = 0;  ///< after start
  std::int64_t sound_length_ns = 2000 * ms;
};

/// Joined recordings in the file's order; sound comes that much later in the file than its time.
std::vector<Stamp> join(const std::vector<Recording>& recordings, std::int64_t skew_ns = 300 * ms) {
  struct Placed {
    std::int64_t place_ns;
    Stamp stamp;
  };
  std::vector<Placed> placed;
  std::int64_t begin_ns = 0;
  for (const Recording& one : recordings) {
    for (std::int64_t t = 0; t < one.length_ns; t += frame)
      placed.push_back({begin_ns + t, picture(one.start_ns + t)});
    for (std::int64_t t = 0; t < one.sound_length_ns; t += sound)
      placed.push_back(
          {begin_ns + t + one.sound_begins_ns + skew_ns, sample(one.start_ns + one.sound_begins_ns + t)});
    begin_ns += std::max(one.length_ns, one.sound_begins_ns + one.sound_length_ns);
  }
  std::stable_sort(placed.begin(), placed.end(),
                   [](const Placed& a, const Placed& b) { return a.place_ns < b.place_ns; });
  std::vector<Stamp> stamps;
  for (const Placed& one : placed) stamps.push_back(one.stamp);
  return stamps;
}

struct Corrected {
  std::vector<Stamp> stamps;
  ClockChanges changes;

  [[nodiscard]] std::vector<std::int64_t> dts(int stream) const {
    std::vector<std::int64_t> times;
    for (const Stamp& stamp : stamps)
      if (stamp.stream == stream) times.push_back(stamp.dts_ns);
    return times;
  }
};

Corrected correct(const std::vector<Stamp>& stamps) {
  InputClock clock(picture_stream);
  Corrected out;
  std::size_t num_added = 0;
  while (out.stamps.size() < stamps.size()) {
    const bool ended = num_added == stamps.size();
    if (const auto shift = clock.pop(ended)) {
      Stamp stamp = stamps[out.stamps.size()];
      if (stamp.dts_ns != InputClock::no_time) stamp.dts_ns += shift->dts_ns;
      if (stamp.pts_ns != InputClock::no_time) stamp.pts_ns += shift->pts_ns;
      out.stamps.push_back(stamp);
    } else if (ended) {
      ADD_FAILURE() << "stuck";
      break;
    } else {
      clock.add(stamps[num_added++]);
    }
  }
  out.changes = clock.changes();
  return out;
}

/// Every step is `step`; `num` of them.
void expect_regular(const std::vector<std::int64_t>& times, std::int64_t step, std::size_t num) {
  ASSERT_EQ(times.size(), num);
  for (std::size_t i = 1; i < times.size(); ++i) ASSERT_EQ(times[i] - times[i - 1], step) << i;
}

void expect_unchanged(const std::vector<Stamp>& stamps) {
  const Corrected out = correct(stamps);
  EXPECT_FALSE(out.changes.any());
  ASSERT_EQ(out.stamps.size(), stamps.size());
  for (std::size_t i = 0; i < stamps.size(); ++i) {
    ASSERT_EQ(out.stamps[i].dts_ns, stamps[i].dts_ns) << i;
    ASSERT_EQ(out.stamps[i].pts_ns, stamps[i].pts_ns) << i;
  }
}

TEST(InputClockTest, OrderlyTimesAndGapsStay) {
  expect_unchanged(join({{.start_ns = 1400 * ms}}));
  expect_unchanged(join({{.start_ns = 1400 * ms}, {.start_ns = 3400 * ms}, {.start_ns = 900'000 * ms}}));
  std::vector<Stamp> variable;
  std::mt19937 random(1);
  std::int64_t time_ns = 0;
  for (int i = 0; i < 500; ++i) {
    time_ns += 1 + static_cast<std::int64_t>(random() % (i % 50 == 0 ? 20'000'000'000 : 90'000'000));
    variable.push_back(picture(time_ns));
  }
  expect_unchanged(variable);
}

/// The sound keeps its distance from the picture, though around the joint the file mixes both clocks.
TEST(InputClockTest, StepBackMovesAllStreamsAlike) {
  for (const std::int64_t step_ns : {480, 960, 3000, 60'000}) {
    for (const std::int64_t skew_ns : {-300 * ms, 0 * ms, 300 * ms, 700 * ms}) {
      SCOPED_TRACE(testing::Message() << step_ns << " ms, skew " << skew_ns / ms << " ms");
      const std::int64_t start_ns = 70'000 * ms;
      const Corrected out =
          correct(join({{.start_ns = start_ns},
                        {.start_ns = start_ns + 2000 * ms - step_ns * ms, .sound_begins_ns = 63 * ms}},
                       skew_ns));
      EXPECT_EQ(out.changes.num_new_clocks, 1);
      EXPECT_EQ(out.changes.num_bad_times, 0);
      EXPECT_EQ(out.changes.first_step_ns, step_ns * ms);
      expect_regular(out.dts(picture_stream), frame, 100);
      const std::vector<std::int64_t> heard = out.dts(sound_stream);
      ASSERT_EQ(heard.size(), 192U);
      for (std::size_t i = 0; i < 96; ++i) {
        const auto ticks = static_cast<std::int64_t>(i) * sound;
        ASSERT_EQ(heard[i], start_ns + ticks);
        ASSERT_EQ(heard[96 + i], start_ns + 2063 * ms + ticks);
      }
    }
  }
}

TEST(InputClockTest, JointWaitsForSoundThatLastsLonger) {
  const Corrected out = correct(join({{.sound_length_ns = 2520 * ms}, {}}));
  EXPECT_EQ(out.changes.num_new_clocks, 1);
  expect_regular(out.dts(sound_stream), sound, 216);
  const std::vector<std::int64_t> seen = out.dts(picture_stream);
  EXPECT_EQ(seen[49], 1960 * ms);
  EXPECT_EQ(seen[50], 2520 * ms) << "with the sound of its recording";
}

TEST(InputClockTest, SeveralRecordings) {
  const Corrected out = correct(join({{}, {}, {.start_ns = 500 * ms}, {}, {.start_ns = 1000 * ms}}));
  EXPECT_EQ(out.changes.num_new_clocks, 4);
  expect_regular(out.dts(picture_stream), frame, 250);
  const std::vector<std::int64_t> heard = out.dts(sound_stream);
  EXPECT_TRUE(std::is_sorted(heard.begin(), heard.end()));
}

TEST(InputClockTest, SubtitlesFollowTheClock) {
  std::vector<Stamp> stamps = join({{}, {}}, 0);
  const auto second = std::find_if(stamps.begin() + 1, stamps.end(),
                                   [](const Stamp& stamp) { return stamp.is_video && stamp.dts_ns == 0; });
  stamps.insert(second + 30, subtitle(600 * ms));
  stamps.insert(stamps.begin() + 30, subtitle(700 * ms));
  EXPECT_EQ(correct(stamps).dts(subtitle_stream), (std::vector<std::int64_t>{700 * ms, 2600 * ms}));
}

TEST(InputClockTest, BFramesGoOnRegularly) {
  // I P B B …, shown two frames after they are decoded.
  std::vector<Stamp> stamps;
  for (int recording = 0; recording < 2; ++recording)
    for (int i = 0; i < 60; ++i) {
      const int shown = i == 0 ? 0 : (i - 1) % 3 == 0 ? i + 2 : i - 1;
      Stamp stamp = picture(i * frame, (shown - i + 2) * frame);
      stamp.is_key = i == 0;
      stamps.push_back(stamp);
    }
  const Corrected out = correct(stamps);
  EXPECT_EQ(out.changes.num_new_clocks, 1);
  std::vector<std::int64_t> shown;
  for (const Stamp& stamp : out.stamps) shown.push_back(stamp.pts_ns);
  std::sort(shown.begin(), shown.end());
  // The last group of the first recording is cut: 61 is missing.
  EXPECT_EQ(std::adjacent_find(shown.begin(), shown.end()), shown.end());
  EXPECT_LE(shown.back() - shown.front(), 122 * frame);
}

TEST(InputClockTest, OneBadTimeIsReplaced) {
  for (const std::int64_t error_ms : {-50'000, -3000, -700, 500, 3000, 20'000, 80'000'000}) {
    SCOPED_TRACE(error_ms);
    for (const int stream : {picture_stream, sound_stream}) {
      std::vector<Stamp> stamps = join({{.start_ns = 1000'000 * ms}});
      Stamp* bad = nullptr;
      for (std::size_t i = stamps.size() / 2; bad == nullptr; ++i)
        if (stamps[i].stream == stream) bad = &stamps[i];
      bad->dts_ns += error_ms * ms;
      bad->pts_ns += error_ms * ms;
      const Corrected out = correct(stamps);
      EXPECT_EQ(out.changes.num_new_clocks, 0);
      EXPECT_EQ(out.changes.num_bad_times, 1);
      EXPECT_EQ(out.changes.first_bad_stream, stream);
      expect_regular(out.dts(picture_stream), frame, 50);
      expect_regular(out.dts(sound_stream), sound, 96);
      for (const Stamp& stamp : out.stamps) EXPECT_EQ(stamp.pts_ns, stamp.dts_ns);
    }
  }
}

TEST(InputClockTest, FirstTimeMayBeBad) {
  std::vector<Stamp> stamps = join({{.start_ns = 5000 * ms}});
  stamps[0].dts_ns += 40'000 * ms;
  stamps[0].pts_ns += 40'000 * ms;
  const Corrected out = correct(stamps);
  EXPECT_EQ(out.changes.num_new_clocks, 0);
  expect_regular(out.dts(picture_stream), frame, 50);
  expect_regular(out.dts(sound_stream), sound, 96);
}

/// What jitters by less than two packets is left as it is.
TEST(InputClockTest, JitterIsNoNewClock) {
  std::vector<Stamp> stamps = join({{.length_ns = 8000 * ms, .sound_length_ns = 8000 * ms}});
  std::mt19937 random(7);
  for (Stamp& stamp : stamps) {
    if (!stamp.is_video) continue;
    stamp.dts_ns += static_cast<std::int64_t>(random() % 60) * ms;
    stamp.pts_ns = stamp.dts_ns;
  }
  expect_unchanged(stamps);
}

/// FFmpeg takes a much smaller time for a counter that has wrapped.
TEST(InputClockTest, ClockFarBehindIsNoWrap) {
  const std::int64_t start_ns = 50'000'000 * ms;
  const Corrected out =
      correct(join({{.start_ns = start_ns}, {.start_ns = 10'000'000 * ms + wrap}, {.start_ns = start_ns}}));
  EXPECT_EQ(out.changes.num_new_clocks, 2);
  EXPECT_EQ(out.changes.first_step_ns, 40'002'000 * ms) << "from what the file says";
  expect_regular(out.dts(picture_stream), frame, 150);
  expect_unchanged(join({{.start_ns = wrap - 2000 * ms}, {.start_ns = wrap}}));
}

/// Whatever the times are, each packet comes out, and no sum overflows (asan's preset would tell).
TEST(InputClockTest, AnyTimesComeOut) {
  std::mt19937_64 random(11);
  for (int round = 0; round < 300; ++round) {
    std::vector<Stamp> stamps;
    std::int64_t base_ns = 0;
    const auto spread_ns = static_cast<std::uint64_t>(InputClock::max_time_ns) >> (random() % 40);
    for (int i = 0; i < 300; ++i) {
      if (random() % 20 == 0)
        base_ns = static_cast<std::int64_t>(random() % spread_ns) * (random() % 2 == 0 ? 1 : -1);
      const std::int64_t dts_ns = base_ns / 2 + i * frame / 2;
      Stamp stamp = random() % 3 == 0   ? sample(dts_ns)
                    : random() % 9 == 0 ? subtitle(dts_ns)
                                        : picture(dts_ns, static_cast<std::int64_t>(random() % 5) * frame);
      if (random() % 30 == 0) stamp.dts_ns = InputClock::no_time;
      stamps.push_back(stamp);
    }
    EXPECT_EQ(correct(stamps).stamps.size(), stamps.size());
  }
}

TEST(InputClockTest, TimesMayBeMissing) {
  std::vector<Stamp> stamps = join({{}, {}});
  for (std::size_t i = 0; i < stamps.size(); i += 3)
    stamps[i].dts_ns = stamps[i].pts_ns = InputClock::no_time;
  EXPECT_EQ(correct(stamps).changes.num_new_clocks, 1);
}

}  // namespace
}  // namespace atelier::media
