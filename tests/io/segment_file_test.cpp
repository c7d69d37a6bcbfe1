#include "atelier/io/segment_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "atelier/base/error.h"
#include "io/segments.h"

namespace atelier::io {
namespace {

using ::testing::HasSubstr;

constexpr std::size_t hash_bytes = 8;

/// As a writer of such content would have ended it: only the hash is ours.
void end_with_right_hash(Buffer& file) {
  const std::uint64_t hash = hash64(file.bytes().first(file.size() - hash_bytes));
  for (std::size_t i = 0; i < hash_bytes; ++i)
    file.data()[file.size() - hash_bytes + i] = static_cast<std::byte>(hash >> (8 * i));
}

template <typename T>
void put_little_endian(Buffer& file, std::size_t offset, T value) {
  for (std::size_t i = 0; i < sizeof value; ++i)
    file.data()[offset + i] = static_cast<std::byte>(static_cast<std::uint64_t>(value) >> (8 * i));
}

SegmentFault fault_of(std::span<const std::byte> bytes) {
  const ParsedSegment parsed = parse_segment(bytes);
  EXPECT_FALSE(parsed.segment.has_value());
  EXPECT_FALSE(parsed.problem.reason.empty());
  return parsed.problem.fault;
}

TEST(SegmentFile, gives_back_every_field) {
  const StoredSegment wanted = example_segment();
  const ParsedSegment parsed = parse_segment(serialise_segment(wanted).bytes());
  ASSERT_TRUE(parsed.segment) << parsed.problem.reason;
  const StoredSegment& got = *parsed.segment;
  EXPECT_EQ(got.fingerprint, wanted.fingerprint);
  EXPECT_EQ(got.input_hash, wanted.input_hash);
  EXPECT_EQ(got.reader_state, wanted.reader_state);
  EXPECT_EQ(got.processor, wanted.processor);
  EXPECT_EQ(got.segment.chunk_index, 7);
  EXPECT_EQ(got.segment.first_frame, 21);
  EXPECT_EQ(got.chunk().end_frame, 24);
  EXPECT_EQ(got.last_pts_ticks(), 1962);
  EXPECT_EQ(got.segment.extradata, wanted.segment.extradata);
  EXPECT_EQ(got.segment.encode_s, 1.25);
  ASSERT_EQ(got.frames.size(), wanted.frames.size());
  for (std::size_t i = 0; i < got.frames.size(); ++i) {
    const StoredFrame& a = got.frames[i];
    const StoredFrame& b = wanted.frames[i];
    EXPECT_EQ(a.pts_ticks, b.pts_ticks);
    EXPECT_EQ(a.rank, b.rank);
    EXPECT_EQ(a.decode_s, b.decode_s);
    EXPECT_EQ(a.transfer_s, b.transfer_s);
    EXPECT_EQ(a.convert_s, b.convert_s);
    EXPECT_EQ(a.style_s, b.style_s);
    EXPECT_EQ(a.encode_s, b.encode_s);
  }
  ASSERT_EQ(got.segment.packets.size(), wanted.segment.packets.size());
  for (std::size_t i = 0; i < got.segment.packets.size(); ++i) {
    const SegmentPacket& a = got.segment.packets[i];
    const SegmentPacket& b = wanted.segment.packets[i];
    EXPECT_EQ(a.data, b.data);
    EXPECT_EQ(a.pts_ticks, b.pts_ticks);
    EXPECT_EQ(a.duration_ticks, b.duration_ticks);
    EXPECT_EQ(a.key, b.key);
    EXPECT_EQ(a.side_data, b.side_data);
  }
}

// The layout that the header documents, byte by byte: a file of this version stays readable everywhere.
TEST(SegmentFile, has_the_documented_layout) {
  StoredSegment stored;
  stored.fingerprint = {0x0102030405060708U, 0x1112131415161718U};
  stored.input_hash = 5;
  stored.segment.chunk_index = 2;
  stored.segment.first_frame = 96;
  stored.segment.encode_s = 1;
  stored.frames = {{-2, 3, 1, 0, 0, 0, 0}};
  const Buffer file = serialise_segment(stored);
  const std::string documented =
      std::string("ATELSEG\x1a\x02\0\0\0\xac\0\0\0\0\0\0\0", 20) +
      "\x08\x07\x06\x05\x04\x03\x02\x01\x18\x17\x16\x15\x14\x13\x12\x11" +
      std::string("\x02\0\0\0\0\0\0\0\x60\0\0\0\0\0\0\0\x61\0\0\0\0\0\0\0\x05\0\0\0\0\0\0\0", 32) +
      "\xfe\xff\xff\xff\xff\xff\xff\xff" + std::string("\0\0\0\0\0\0\xf0\x3f", 8) + std::string(40, '\0') +
      "\xfe\xff\xff\xff\xff\xff\xff\xff" + std::string("\x03\0\0\0\0\0\x80\x3f", 8) + std::string(16, '\0') +
      "ATELEND\n";
  ASSERT_EQ(file.size(), documented.size() + hash_bytes);
  EXPECT_EQ(std::memcmp(file.data(), documented.data(), documented.size()), 0);
}

TEST(SegmentFile, cut_anywhere_is_refused) {
  const Buffer file = serialise_segment(example_segment());
  for (std::size_t size = 0; size < file.size(); ++size)
    EXPECT_EQ(fault_of(file.bytes().first(size)), SegmentFault::cut) << size;
}

TEST(SegmentFile, with_more_bytes_behind_it_is_refused) {
  const Buffer file = serialise_segment(example_segment());
  Buffer longer(file.size() + 1);
  std::memcpy(longer.data(), file.data(), file.size());
  longer.data()[file.size()] = std::byte{0};
  EXPECT_EQ(fault_of(longer.bytes()), SegmentFault::cut);
}

TEST(SegmentFile, each_flipped_bit_is_noticed) {
  Buffer file = serialise_segment(example_segment());
  for (std::size_t i = 0; i < file.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      file.data()[i] ^= static_cast<std::byte>(1 << bit);
      EXPECT_FALSE(parse_segment(file.bytes()).segment) << "byte " << i << " bit " << bit;
      file.data()[i] ^= static_cast<std::byte>(1 << bit);
    }
  }
  EXPECT_TRUE(parse_segment(file.bytes()).segment);
}

TEST(SegmentFile, other_version_is_named) {
  Buffer file = serialise_segment(example_segment());
  put_little_endian(file, 8, std::uint32_t{77});
  end_with_right_hash(file);
  EXPECT_EQ(fault_of(file.bytes()), SegmentFault::other_version);
  EXPECT_THAT(parse_segment(file.bytes()).problem.reason, HasSubstr("version 77"));
}

TEST(SegmentFile, something_else_is_no_segment) {
  const std::string text = "a picture of a dog, or whatever else may lie in a folder";
  EXPECT_EQ(fault_of(std::as_bytes(std::span(text))), SegmentFault::not_a_segment);
}

// Counts and sizes that no file could hold, with a hash that is right: refused before anything is allocated.
TEST(SegmentFile, impossible_counts_are_refused) {
  for (const std::size_t offset : {36U, 44U, 52U, 84U, 92U, 100U, 108U, 116U}) {
    for (const std::uint64_t value :
         {std::uint64_t{1} << 62U, ~std::uint64_t{0}, std::uint64_t{1} << 63U, std::uint64_t{1} << 40U}) {
      Buffer file = serialise_segment(example_segment());
      put_little_endian(file, offset, value);
      end_with_right_hash(file);
      const ParsedSegment parsed = parse_segment(file.bytes());
      const bool only_an_index = offset == 36 && value >> 63U == 0;
      EXPECT_EQ(parsed.segment.has_value(), only_an_index) << offset << " " << value;
      if (!parsed.segment) {
        EXPECT_EQ(parsed.problem.fault, SegmentFault::damaged);
      }
    }
  }
}

// Past the hash, as a hostile writer would get: whatever the content, an answer and no more.
TEST(SegmentFile, random_content_with_a_right_hash_is_answered) {
  std::mt19937 random(20);
  const Buffer good = serialise_segment(example_segment());
  int refused = 0;
  for (int round = 0; round < 20000; ++round) {
    Buffer file = good.clone();
    const int changes = 1 + static_cast<int>(random() % 4);
    for (int i = 0; i < changes; ++i)
      file.data()[20 + random() % (file.size() - 36)] = static_cast<std::byte>(random());
    end_with_right_hash(file);
    const ParsedSegment parsed = parse_segment(file.bytes());
    if (parsed.segment) {
      const Buffer again = serialise_segment(*parsed.segment);
      ASSERT_EQ(again.size(), file.size());
      ASSERT_EQ(std::memcmp(again.data(), file.data(), file.size()), 0);
    } else {
      ++refused;
    }
  }
  EXPECT_GT(refused, 1000);
}

TEST(SegmentFile, without_frames_is_not_written) {
  StoredSegment stored = example_segment();
  stored.frames.clear();
  EXPECT_THROW(serialise_segment(stored), JobError);
  EXPECT_THROW(serialise_segment(example_segment(-1)), JobError);
}

}  // namespace
}  // namespace atelier::io
