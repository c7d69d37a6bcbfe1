#include "sei.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <type_traits>

#include "bit_writer.h"

namespace atelier::media {
namespace {

constexpr int picture_timing = 1;
constexpr int registered_by_t35 = 4;
constexpr int unregistered = 5;
constexpr int time_code = 136;
constexpr std::uint64_t united_states = 0xB5;  // country of ITU-T T.35
constexpr std::uint64_t atsc = 0x31;           // provider
constexpr std::uint64_t samsung = 0x3C;        // provider
constexpr std::size_t bytes_per_caption = 3;
constexpr std::size_t max_captions = 31;  // cc_count has five bits

/// value x denominator, within num_bits.
void put_ratio(BitWriter& bits, AVRational value, double denominator, int num_bits) {
  const double number = value.den == 0 ? 0 : std::round(av_q2d(value) * denominator);
  const auto highest = static_cast<double>((std::uint64_t{1} << num_bits) - 1);
  bits.put(static_cast<std::uint64_t>(std::clamp(number, 0.0, highest)), num_bits);
}

constexpr int max_luminance_rows = 25;
using Luminances = AVRational[max_luminance_rows][max_luminance_rows];

void put_luminances(BitWriter& bits, std::uint8_t flag, std::uint8_t num_rows, std::uint8_t num_columns,
                    const Luminances& luminances) {
  bits.put(flag, 1);
  if ((flag & 1) == 0) return;
  const int rows = std::min<int>(num_rows, max_luminance_rows);
  const int columns = std::min<int>(num_columns, max_luminance_rows);
  bits.put(static_cast<std::uint64_t>(rows), 5);
  bits.put(static_cast<std::uint64_t>(columns), 5);
  for (int row = 0; row < rows; ++row)
    for (int column = 0; column < columns; ++column) put_ratio(bits, luminances[row][column], 15, 4);
}

void put_window(BitWriter& bits, const AVHDRPlusColorTransformParams& window) {
  put_ratio(bits, window.window_upper_left_corner_x, 1, 16);
  put_ratio(bits, window.window_upper_left_corner_y, 1, 16);
  put_ratio(bits, window.window_lower_right_corner_x, 1, 16);
  put_ratio(bits, window.window_lower_right_corner_y, 1, 16);
  bits.put(window.center_of_ellipse_x, 16);
  bits.put(window.center_of_ellipse_y, 16);
  bits.put(window.rotation_angle, 8);
  bits.put(window.semimajor_axis_internal_ellipse, 16);
  bits.put(window.semimajor_axis_external_ellipse, 16);
  bits.put(window.semiminor_axis_external_ellipse, 16);
  std::underlying_type_t<AVHDRPlusOverlapProcessOption>
      option;  // a message may hold what the type does not name
  std::memcpy(&option, &window.overlap_process_option, sizeof option);
  bits.put(option, 1);
}

void put_light(BitWriter& bits, const AVHDRPlusColorTransformParams& window) {
  for (const AVRational& maximum : window.maxscl) put_ratio(bits, maximum, 100000, 17);
  put_ratio(bits, window.average_maxrgb, 100000, 17);
  const int num_percentiles = std::min<int>(window.num_distribution_maxrgb_percentiles, 15);
  bits.put(static_cast<std::uint64_t>(num_percentiles), 4);
  for (int i = 0; i < num_percentiles; ++i) {
    bits.put(window.distribution_maxrgb[i].percentage, 7);
    put_ratio(bits, window.distribution_maxrgb[i].percentile, 100000, 17);
  }
  put_ratio(bits, window.fraction_bright_pixels, 1000, 10);
}

void put_tones(BitWriter& bits, const AVHDRPlusColorTransformParams& window) {
  bits.put(window.tone_mapping_flag, 1);
  if ((window.tone_mapping_flag & 1) != 0) {
    put_ratio(bits, window.knee_point_x, 4095, 12);
    put_ratio(bits, window.knee_point_y, 4095, 12);
    const int num_anchors = std::min<int>(window.num_bezier_curve_anchors, 15);
    bits.put(static_cast<std::uint64_t>(num_anchors), 4);
    for (int i = 0; i < num_anchors; ++i) put_ratio(bits, window.bezier_curve_anchors[i], 1023, 10);
  }
  bits.put(window.color_saturation_mapping_flag, 1);
  if ((window.color_saturation_mapping_flag & 1) != 0) put_ratio(bits, window.color_saturation_weight, 8, 6);
}

void put_bytes(BitWriter& bits, std::span<const std::byte> bytes) {
  for (const std::byte byte : bytes) bits.put(std::to_integer<std::uint64_t>(byte), 8);
}

/// Type and size are written in bytes, of which 255 says that more follow.
void put_number(BitWriter& bits, std::size_t number) {
  for (; number >= 255; number -= 255) bits.put(255, 8);
  bits.put(number, 8);
}

/// Two decimal digits, tens above ones.
std::uint64_t digits(std::uint32_t timecode, int tens_shift, std::uint32_t tens_mask, int ones_shift) {
  return (timecode >> tens_shift & tens_mask) * 10 + (timecode >> ones_shift & 0xF);
}

void put_timecode(BitWriter& bits, SeiCodec codec, std::uint32_t timecode, AVRational frame_rate) {
  const bool drop = (timecode >> 30 & 1) != 0;
  std::uint64_t frames = digits(timecode, 28, 3, 24);
  if (av_cmp_q(frame_rate, {30, 1}) == 1) {
    // A timecode counts pairs there (ST 12-1, 12.1); the field bit tells the second of a pair.
    const int field_bit = av_cmp_q(frame_rate, {50, 1}) == 0 ? 7 : 23;
    frames = 2 * frames + (timecode >> field_bit & 1);
  }
  bits.put(1, 1);                               // clock_timestamp_flag
  if (codec == SeiCodec::h264) bits.put(2, 2);  // ct_type: unknown
  bits.put(0, 1);                               // units_field_based_flag
  bits.put(drop ? 4 : 0, 5);                    // counting_type
  bits.put(1, 1);                               // full_timestamp_flag
  bits.put(0, 1);                               // discontinuity_flag
  bits.put(drop ? 1 : 0, 1);                    // cnt_dropped_flag
  bits.put(frames, codec == SeiCodec::h264 ? 8 : 9);
  bits.put(digits(timecode, 20, 7, 16), 6);  // seconds
  bits.put(digits(timecode, 12, 7, 8), 6);   // minutes
  bits.put(digits(timecode, 4, 3, 0), 5);    // hours
  if (codec == SeiCodec::h264)
    bits.put(0, 24);  // time_offset
  else
    bits.put(0, 5);  // time_offset_length
}

std::size_t num_timecodes(std::span<const std::uint32_t> timecodes) {
  return timecodes.empty() ? 0 : std::min<std::size_t>({timecodes[0], 3, timecodes.size() - 1});
}

}  // namespace

SeiMessage caption_message(std::span<const std::byte> cc_data) {
  const std::size_t count = std::min(cc_data.size() / bytes_per_caption, max_captions);
  BitWriter bits;
  bits.put(united_states, 8);
  bits.put(atsc, 16);
  for (const char c : {'G', 'A', '9', '4'}) bits.put(static_cast<std::uint64_t>(c), 8);
  bits.put(3, 8);             // user_data_type_code
  bits.put(0x40 | count, 8);  // process_cc_data_flag
  bits.put(0xFF, 8);
  put_bytes(bits, cc_data.first(count * bytes_per_caption));
  bits.put(0xFF, 8);
  return {registered_by_t35, bits.bytes()};
}

SeiMessage active_format_message(std::uint8_t active_format) {
  BitWriter bits;
  bits.put(united_states, 8);
  bits.put(atsc, 16);
  for (const char c : {'D', 'T', 'G', '1'}) bits.put(static_cast<std::uint64_t>(c), 8);
  bits.put(0x41, 8);  // active_format_flag
  bits.put(0xF0U | (active_format & 0xFU), 8);
  return {registered_by_t35, bits.bytes()};
}

SeiMessage hdr10_plus_message(const AVDynamicHDRPlus& metadata) {
  const int num_windows = std::clamp<int>(metadata.num_windows, 1, 3);
  BitWriter bits;
  bits.put(united_states, 8);
  bits.put(samsung, 16);
  bits.put(1, 16);  // provider oriented code
  bits.put(4, 8);   // application identifier
  bits.put(metadata.application_version, 8);
  bits.put(static_cast<std::uint64_t>(num_windows), 2);
  for (int w = 1; w < num_windows; ++w) put_window(bits, metadata.params[w]);
  put_ratio(bits, metadata.targeted_system_display_maximum_luminance, 1, 27);
  put_luminances(bits, metadata.targeted_system_display_actual_peak_luminance_flag,
                 metadata.num_rows_targeted_system_display_actual_peak_luminance,
                 metadata.num_cols_targeted_system_display_actual_peak_luminance,
                 metadata.targeted_system_display_actual_peak_luminance);
  for (int w = 0; w < num_windows; ++w) put_light(bits, metadata.params[w]);
  put_luminances(bits, metadata.mastering_display_actual_peak_luminance_flag,
                 metadata.num_rows_mastering_display_actual_peak_luminance,
                 metadata.num_cols_mastering_display_actual_peak_luminance,
                 metadata.mastering_display_actual_peak_luminance);
  for (int w = 0; w < num_windows; ++w) put_tones(bits, metadata.params[w]);
  bits.align();
  return {registered_by_t35, bits.bytes()};
}

SeiMessage unregistered_message(std::span<const std::byte> uuid_and_data) {
  return {unregistered, {uuid_and_data.begin(), uuid_and_data.end()}};
}

SeiMessage timecode_message(std::span<const std::uint32_t> timecodes, AVRational frame_rate) {
  const std::size_t count = num_timecodes(timecodes);
  BitWriter bits;
  bits.put(count, 2);
  for (std::size_t i = 1; i <= count; ++i) put_timecode(bits, SeiCodec::hevc, timecodes[i], frame_rate);
  bits.align();
  return {time_code, bits.bytes()};
}

bool set_picture_timecodes(std::vector<std::byte>& packet, std::span<const std::uint32_t> timecodes,
                           AVRational frame_rate) {
  // One byte of payload: pic_struct and a zero for each of its timecodes.
  static constexpr std::array start{std::byte{0}, std::byte{0}, std::byte{1},
                                    std::byte{6}, std::byte{1}, std::byte{1}};
  static constexpr std::array<std::size_t, 9> num_fields{1, 1, 1, 2, 2, 3, 3, 2, 3};
  const auto found = std::search(packet.begin(), packet.end(), start.begin(), start.end());
  const auto at = static_cast<std::size_t>(found - packet.begin());
  const std::size_t end = at + start.size() + 2;
  if (end > packet.size() || packet[end - 1] != std::byte{0x80}) return false;
  const auto pic_struct = std::to_integer<std::size_t>(packet[at + start.size()]) >> 4;
  if (pic_struct >= num_fields.size()) return false;
  BitWriter bits;
  bits.put(pic_struct, 4);
  const std::size_t count = num_timecodes(timecodes);
  for (std::size_t i = 0; i < num_fields[pic_struct]; ++i) {
    if (i < count)
      put_timecode(bits, SeiCodec::h264, timecodes[i + 1], frame_rate);
    else
      bits.put(0, 1);
  }
  bits.align();
  std::vector<std::byte> unit = sei_unit(SeiCodec::h264, {{picture_timing, bits.bytes()}});
  const bool long_code = at > 0 && packet[at - 1] == std::byte{0};
  const auto begin = packet.begin() + static_cast<std::ptrdiff_t>(long_code ? at - 1 : at);
  const auto after = packet.erase(begin, packet.begin() + static_cast<std::ptrdiff_t>(end));
  packet.insert(after, unit.begin(), unit.end());
  return true;
}

std::vector<std::byte> sei_unit(SeiCodec codec, const std::vector<SeiMessage>& messages) {
  BitWriter content;
  for (const SeiMessage& message : messages) {
    put_number(content, static_cast<std::size_t>(message.type));
    put_number(content, message.payload.size());
    put_bytes(content, message.payload);
  }
  content.put(0x80, 8);  // rbsp_trailing_bits
  std::vector<std::byte> unit{std::byte{0}, std::byte{0}, std::byte{0}, std::byte{1}};
  if (codec == SeiCodec::h264)
    unit.push_back(std::byte{6});
  else
    unit.insert(unit.end(), {std::byte{39 << 1}, std::byte{1}});
  int num_zeros = 0;
  for (const std::byte byte : content.bytes()) {
    if (num_zeros >= 2 && byte <= std::byte{3}) {
      unit.push_back(std::byte{3});  // emulation prevention
      num_zeros = 0;
    }
    unit.push_back(byte);
    num_zeros = byte == std::byte{0} ? num_zeros + 1 : 0;
  }
  return unit;
}

std::size_t first_slice(SeiCodec codec, std::span<const std::byte> packet) {
  for (std::size_t i = 0; i + 3 < packet.size(); ++i) {
    if (packet[i] != std::byte{0} || packet[i + 1] != std::byte{0} || packet[i + 2] != std::byte{1}) continue;
    const int header = std::to_integer<int>(packet[i + 3]);
    const int type = codec == SeiCodec::h264 ? header & 0x1F : header >> 1 & 0x3F;
    const bool is_slice = codec == SeiCodec::h264 ? type >= 1 && type <= 5 : type < 32;
    if (is_slice) return i > 0 && packet[i - 1] == std::byte{0} ? i - 1 : i;
  }
  return packet.size();
}

}  // namespace atelier::media
