#pragma once

// An H.264 video whose pictures are coded as frames or as pairs of fields (PAFF), with known samples: x264
// makes none. Section numbers are those of ITU-T H.264.

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

namespace atelier::test {

/// The bits of an RBSP (7.2), most significant first.
class BitWriter {
 public:
  void bits(std::uint32_t value, int count) {
    for (int i = count - 1; i >= 0; --i) {
      if (num_bits_++ % 8 == 0) bytes_.push_back(std::byte{0});
      bytes_.back() |=
          std::byte{static_cast<unsigned char>(((value >> i) & 1U) << (7 - (num_bits_ - 1) % 8))};
    }
  }
  /// Exp-Golomb codes (9.1).
  void ue(std::uint32_t value) {
    int length = 1;
    while (((value + 1) >> length) != 0) ++length;
    bits(0, length - 1);
    bits(value + 1, length);
  }
  void se(int value) { ue(static_cast<std::uint32_t>(value > 0 ? 2 * value - 1 : -2 * value)); }
  void align_with_zeros() { num_bits_ = 8 * bytes_.size(); }
  void end() {
    bits(1, 1);
    align_with_zeros();
  }
  [[nodiscard]] const std::vector<std::byte>& bytes() const { return bytes_; }

 private:
  std::vector<std::byte> bytes_;
  std::size_t num_bits_ = 0;
};

struct FieldVideoSettings {
  int num_frames = 120;
  bool top_field_first = true;
  bool reordered = false;  ///< every second picture refers to nothing and is decoded after the next one
};

/// Picture k is coded as a frame where k % 5 == 3, else as two fields.
struct FieldVideo {
  static constexpr int width_px = 64;
  static constexpr int height_px = 64;
  static constexpr int gop_frames = 24;
  struct AccessUnit {
    std::vector<std::byte> bytes;  ///< with start codes
    int frame;                     ///< in output order
    bool second_field;
    bool key;
  };
  std::vector<std::byte> parameter_sets;       ///< at the start of every keyframe
  std::vector<AccessUnit> units;               ///< in decoding order
  std::vector<std::vector<std::byte>> frames;  ///< planes of yuv420p in output order
  static bool is_field_pair(int frame) { return frame % 5 != 3; }
};

class FieldVideoWriter {
 public:
  explicit FieldVideoWriter(const FieldVideoSettings& settings) : settings_(settings) {
    video_.frames.resize(static_cast<std::size_t>(settings.num_frames));
    for (int frame = 0; frame < settings.num_frames; ++frame) {
      const int place = frame % FieldVideo::gop_frames;
      const bool before = settings.reordered && place % 2 == 1 && place + 1 < FieldVideo::gop_frames &&
                          frame + 1 < settings.num_frames;
      if (before) write_picture(frame + 1, true);
      write_picture(frame, !before);
      if (before) ++frame;
    }
  }
  [[nodiscard]] FieldVideo take() { return std::move(video_); }

 private:
  using Samples = std::vector<std::byte>;

  static void append_nal(Samples& out, int ref_idc, int type, const BitWriter& payload) {
    for (const int byte : {0, 0, 0, 1, ref_idc << 5 | type}) out.push_back(static_cast<std::byte>(byte));
    int num_zeros = 0;
    for (const std::byte byte : payload.bytes()) {
      if (num_zeros >= 2 && byte <= std::byte{3}) {
        out.push_back(std::byte{3});
        num_zeros = 0;
      }
      num_zeros = byte == std::byte{0} ? num_zeros + 1 : 0;
      out.push_back(byte);
    }
  }

  /// 7.3.2.1.1: Main profile, level 3, fields allowed, 25 frames/s.
  [[nodiscard]] BitWriter sequence_parameters() const {
    BitWriter out;
    out.bits(77, 8);
    out.bits(0, 8);
    out.bits(30, 8);
    out.ue(0);  // seq_parameter_set_id
    out.ue(0);  // frame_num of 4 bits
    out.ue(0);  // pic_order_cnt_type
    out.ue(4);  // pic_order_cnt_lsb of 8 bits
    out.ue(2);  // max_num_ref_frames
    out.bits(0, 1);
    out.ue(FieldVideo::width_px / 16 - 1);
    out.ue(FieldVideo::height_px / 32 - 1);
    out.bits(0, 1);    // frame_mbs_only_flag
    out.bits(0, 1);    // mb_adaptive_frame_field_flag
    out.bits(1, 1);    // direct_8x8_inference_flag
    out.bits(0, 1);    // frame_cropping_flag
    out.bits(1, 1);    // vui_parameters_present_flag
    out.bits(0, 4);    // aspect ratio, overscan, video signal, chroma location
    out.bits(1, 1);    // timing_info_present_flag
    out.bits(1, 32);   // num_units_in_tick
    out.bits(50, 32);  // time_scale: fields
    out.bits(1, 1);    // fixed_frame_rate_flag
    out.bits(0, 3);    // NAL and VCL HRD, pic_struct
    out.bits(1, 1);    // bitstream_restriction_flag
    out.bits(1, 1);
    for (const std::uint32_t value : {0U, 0U, 4U, 4U}) out.ue(value);
    out.ue(settings_.reordered ? 1 : 0);  // max_num_reorder_frames
    out.ue(2);                            // max_dec_frame_buffering
    out.end();
    return out;
  }

  /// 7.3.2.2: CAVLC; slices tell the bottom field's order count and switch deblocking off.
  static BitWriter picture_parameters() {
    BitWriter out;
    out.ue(0);
    out.ue(0);
    out.bits(0, 1);
    out.bits(1, 1);  // bottom_field_pic_order_in_frame_present_flag
    for (int i = 0; i < 3; ++i) out.ue(0);
    out.bits(0, 3);
    for (int i = 0; i < 3; ++i) out.se(0);
    out.bits(1, 1);  // deblocking_filter_control_present_flag
    out.bits(0, 2);
    out.end();
    return out;
  }

  void write_picture(int frame, bool is_reference) {
    const int place = frame % FieldVideo::gop_frames;
    if (place == 0) {
      frame_num_ = 0;
      ++num_gops_;
    }
    const Samples reference = reference_;
    Samples samples = reference.empty() ? Samples(plane_bytes * 3 / 2) : reference;
    if (FieldVideo::is_field_pair(frame)) {
      const int first = settings_.top_field_first ? 0 : 1;
      for (const int parity : {first, 1 - first})
        write_unit(frame, is_reference, parity, parity != first, samples);
    } else {
      write_unit(frame, is_reference, -1, false, samples);
    }
    if (is_reference) {
      reference_ = samples;
      ++frame_num_;
    }
    video_.frames[static_cast<std::size_t>(frame)] = std::move(samples);
  }

  /// parity 0: the top field, 1: the bottom field, -1: the whole frame.
  void write_unit(int frame, bool is_reference, int parity, bool second_field, Samples& samples) {
    const int place = frame % FieldVideo::gop_frames;
    const bool idr = place == 0 && !second_field;
    FieldVideo::AccessUnit unit{{}, frame, second_field, idr};
    if (idr) {
      append_nal(unit.bytes, 3, 7, sequence_parameters());
      append_nal(unit.bytes, 3, 8, picture_parameters());
      video_.parameter_sets = unit.bytes;
    }
    // A keyframe's second field is I or P in turn; pictures out of order are I.
    const bool predicted = is_reference && (place > 0 || (second_field && num_gops_ % 2 == 0));
    BitWriter slice;
    write_header(slice, frame, is_reference, parity, second_field, idr, predicted);
    const int num_rows = FieldVideo::height_px / (parity < 0 ? 16 : 32);
    std::uint32_t num_skipped = 0;
    for (int row = 0; row < num_rows; ++row) {
      for (int column = 0; column < num_columns; ++column) {
        // The IDR picture's second field would find another parity to copy from.
        if (predicted && place > 0 && (row * num_columns + column + frame) % 4 != 0) {
          ++num_skipped;
          continue;
        }
        if (predicted) slice.ue(num_skipped);
        num_skipped = 0;
        slice.ue(predicted ? 30 : 25);  // I_PCM (tables 7-11 and 7-13)
        slice.align_with_zeros();
        for (int plane = 0; plane < 3; ++plane)
          write_block(slice, frame, parity, row, column, plane, samples);
      }
    }
    if (num_skipped > 0) slice.ue(num_skipped);
    slice.end();
    append_nal(unit.bytes, is_reference ? 2 : 0, idr ? 5 : 1, slice);
    video_.units.push_back(std::move(unit));
  }

  /// 7.3.3.
  void write_header(BitWriter& out, int frame, bool is_reference, int parity, bool second_field, bool idr,
                    bool predicted) const {
    const int place = frame % FieldVideo::gop_frames;
    out.ue(0);                  // first_mb_in_slice
    out.ue(predicted ? 0 : 2);  // slice_type
    out.ue(0);
    out.bits(static_cast<std::uint32_t>(frame_num_ % 16), 4);
    out.bits(parity < 0 ? 0 : 1, 1);
    if (parity >= 0) out.bits(static_cast<std::uint32_t>(parity), 1);
    if (idr) out.ue(static_cast<std::uint32_t>(num_gops_ % 2));
    const bool later = second_field || (parity < 0 && !settings_.top_field_first);
    out.bits(static_cast<std::uint32_t>(2 * place + (later ? 1 : 0)), 8);  // pic_order_cnt_lsb
    if (parity < 0) out.se(settings_.top_field_first ? 1 : -1);            // delta_pic_order_cnt_bottom
    if (predicted) out.bits(0, 2);               // num_ref_idx_active_override, ref_pic_list_modification
    if (is_reference) out.bits(0, idr ? 2 : 1);  // dec_ref_pic_marking
    out.se(0);                                   // slice_qp_delta
    out.ue(1);                                   // disable_deblocking_filter_idc
  }

  /// The samples of a macroblock in one plane, which go into the picture too.
  static void write_block(BitWriter& out, int frame, int parity, int row, int column, int plane,
                          Samples& samples) {
    const int size = plane == 0 ? 16 : 8;
    const int stride = plane == 0 ? FieldVideo::width_px : FieldVideo::width_px / 2;
    const std::size_t begin =
        plane == 0 ? 0 : plane_bytes + static_cast<std::size_t>(plane - 1) * plane_bytes / 4;
    for (int y = 0; y < size; ++y) {
      for (int x = 0; x < size; ++x) {
        const int line = parity < 0 ? row * size + y : 2 * (row * size + y) + parity;
        const int value = (7 * frame + 3 * line + 5 * (column * size + x) + 60 * plane) % 256;
        samples[begin + static_cast<std::size_t>(line * stride + column * size + x)] =
            static_cast<std::byte>(value);
        out.bits(static_cast<std::uint32_t>(value), 8);
      }
    }
  }

  static constexpr int num_columns = FieldVideo::width_px / 16;
  static constexpr std::size_t plane_bytes = std::size_t{FieldVideo::width_px} * FieldVideo::height_px;
  FieldVideoSettings settings_;
  FieldVideo video_;
  Samples reference_;  ///< planes of the last picture that may be referred to
  int frame_num_ = 0;
  int num_gops_ = 0;
};

inline FieldVideo make_field_video(const FieldVideoSettings& settings = {}) {
  return FieldVideoWriter(settings).take();
}

}  // namespace atelier::test
