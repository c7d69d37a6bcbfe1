#include "atelier/io/segment_file.h"
#include "io/segments.h"
#include "seeds.h"

namespace atelier::fuzz {
namespace {

// Where they stand in a segment file.
constexpr std::size_t version_offset = 8;
constexpr std::size_t end_frame_offset = 52;
constexpr std::size_t last_pts_offset = 68;
constexpr std::size_t state_bytes_offset = 84;
constexpr std::size_t num_packets_offset = 100;

}  // namespace

void write_segment_seeds(const Seeds& seeds) {
  const Buffer whole = io::serialise_segment(io::example_segment());
  const auto bytes = whole.bytes();
  seeds.write("whole", bytes);
  io::StoredSegment least;
  least.frames.resize(1);
  seeds.write("least", io::serialise_segment(least).bytes());

  seeds.write("only_magic", bytes.first(version_offset));
  seeds.write("half", bytes.first(bytes.size() / 2));
  seeds.write("other_version", with_number(bytes, version_offset, 3));
  seeds.write("end_marker_wrong", with_number(bytes, bytes.size() - 16, 0));
  seeds.write("hash_wrong", with_number(bytes, bytes.size() - 8, 0));
  // The fuzzer gives these the right hash.
  seeds.write("no_frames", with_number(bytes, end_frame_offset, 0));
  seeds.write("too_many_frames", with_number(bytes, end_frame_offset, 1'000'000));
  seeds.write("two_last_pts", with_number(bytes, last_pts_offset, 0));
  seeds.write("parts_too_long", with_number(bytes, state_bytes_offset, 1'000'000));
  seeds.write("too_many_packets", with_number(bytes, num_packets_offset, 1'000'000));
  seeds.write("one_packet_more", with_number(bytes, num_packets_offset, 4));
  seeds.write("one_packet_less", with_number(bytes, num_packets_offset, 2));
  // Of a first attempt and a later one.
  seeds.write("name", std::string("00000007-0123456789abcdef-start1.seg"));
  seeds.write("name_again", std::string("123456789-0123456789abcdef-start1.12.seg"));
  seeds.write("name_short", std::string("7-0123456789abcdef-start1.seg"));
  seeds.write("name_first_again", std::string("00000007-0123456789abcdef-start1.1.seg"));
  seeds.write("name_cut", std::string("00000007.seg"));
}

}  // namespace atelier::fuzz
