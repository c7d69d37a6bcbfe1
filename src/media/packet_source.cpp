#include "packet_source.h"

#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include "atelier/base/checked_cast.h"
#include "atelier/base/file_status.h"
#include "atelier/base/handle.h"
#include "atelier/base/text.h"
#include "atelier/media/picture.h"
#include "atelier/media/picture_row.h"
#include "decoder.h"
#include "field_packets.h"
#include "input_io.h"
#include "input_packets.h"
#include "orientation.h"
#include "picture_kind.h"
#include "stream_choice.h"

namespace atelier::media {
namespace fs = std::filesystem;
namespace {

CodecParametersPtr copy_of(const AVCodecParameters& codec) {
  CodecParametersPtr copy(avcodec_parameters_alloc());
  if (!copy || avcodec_parameters_copy(copy.get(), &codec) < 0) throw std::bad_alloc();
  return copy;
}

/// False where the clock steps back: what lies behind the step is only known to who has read up to it.
bool has_ordered_index(AVStream& stream) {
  std::int64_t last_pos = 0;
  for (int i = 0; i < avformat_index_get_entries_count(&stream); ++i) {
    const AVIndexEntry& entry = *avformat_index_get_entry(&stream, i);
    if (entry.pos < last_pos) return false;
    last_pos = entry.pos;
  }
  return true;
}

class FilePackets final : public PacketSource {
 public:
  FilePackets(fs::path path, std::optional<int> stream) : path_(std::move(path)) {
    input_ = open_input(path_);
    StreamChoice choice = choose_styled_stream(path_, *input_, stream);
    index_ = choice.index;
    choice_ = std::move(choice.reason);
    begin();
  }

  Result read(AVPacket& packet) override {
    while (!ended_) {
      const int got = packets_->read(packet);
      if (got < 0) {
        ended_ = true;
        if (got == AVERROR_EOF) return Result::end;
        problem_ = concat("reading stopped early: ", av_error_text(got));
        return Result::failed;
      }
      // An empty packet would tell the decoder that the video is over.
      if (packet.stream_index == index_ && packet.size > 0) return Result::packet;
      av_packet_unref(&packet);
    }
    return Result::end;
  }

  [[nodiscard]] const AVCodecParameters& codec() const override { return *stream()->codecpar; }
  [[nodiscard]] AVRational time_base() const override { return stream()->time_base; }
  [[nodiscard]] AVFormatContext* input() const override { return input_.get(); }
  [[nodiscard]] AVStream* stream() const override { return input_->streams[index_]; }
  [[nodiscard]] std::string choice() const override { return choice_; }
  [[nodiscard]] std::string container() const override { return input_->iformat->name; }
  [[nodiscard]] bool shows_pictures() const override { return is_picture_format(*input_->iformat); }
  [[nodiscard]] ClockChanges clock_changes() const override { return packets_->changes(); }
  void rewind() override {
    input_ = open_input_again(path_);
    if (std::cmp_greater_equal(index_, input_->nb_streams)) throw_gone(path_);
    begin();
  }

  bool seek(std::int64_t pts_ticks) override {
    // Elsewhere times after a seek may be guesses.
    const std::string name = input_->iformat->name;
    if (!name.starts_with("mov,") && !name.starts_with("matroska,")) return false;
    if (name.starts_with("matroska,") && !has_ordered_index(*stream())) return false;
    if (seek_back(*input_, index_, pts_ticks) < 0) return false;
    packets_.emplace(*input_, index_);
    ended_ = false;
    return true;
  }

 private:
  void begin() {
    for (unsigned i = 0; i < input_->nb_streams; ++i)
      if (static_cast<int>(i) != index_) input_->streams[i]->discard = AVDISCARD_ALL;
    // FFmpeg probes with decoders that pass over it.
    if (says_alpha_beside(*stream())) stream()->codecpar->format = AV_PIX_FMT_YUVA420P;
    packets_.emplace(*input_, index_);
    ended_ = false;
  }

  fs::path path_;
  InputPtr input_;
  std::optional<InputPackets> packets_;
  int index_ = -1;
  std::string choice_;
  bool ended_ = false;
};

class PicturePackets final : public PacketSource {
 public:
  explicit PicturePackets(std::vector<fs::path> files) : files_(std::move(files)) {
    while (!codec_ && next_ < files_.size()) {
      try {
        waiting_ = load_picture(files_[next_]);
        codec_ = copy_of(*waiting_->codec);
      } catch (const UsageError& error) {
        check_is_there();
        problems_before_.emplace_back(error.what());
        ++next_;
      }
    }
    if (!codec_)
      throw UsageError(files_.size() == 1 ? problems_before_.front()
                                          : concat("none of ", files_.size(), " pictures can be read"),
                       files_.size() == 1 ? std::string() : without_period(problems_before_.front()));
    first_ = next_;
  }

  Result read(AVPacket& packet) override {
    if (num_problems_told_ < problems_before_.size()) {
      problem_ = problems_before_[num_problems_told_++];
      return Result::failed;
    }
    if (next_ >= files_.size()) return Result::end;
    if (!waiting_) {
      try {
        waiting_ = load_picture(files_[next_]);
      } catch (const UsageError& error) {
        check_is_there();
        ++next_;
        problem_ = error.what();
        return Result::failed;
      }
    }
    if (waiting_->codec->codec_id != codec_->codec_id) {
      codec_ = copy_of(*waiting_->codec);
      return Result::other_codec;
    }
    av_packet_move_ref(&packet, waiting_->packet.get());
    packet.pts = packet.dts = static_cast<std::int64_t>(next_);
    packet.duration = 1;
    packet.flags |= AV_PKT_FLAG_KEY;
    waiting_.reset();
    ++next_;
    return Result::packet;
  }

  [[nodiscard]] const AVCodecParameters& codec() const override { return *codec_; }
  [[nodiscard]] AVRational time_base() const override { return {1, 25}; }
  [[nodiscard]] std::string container() const override { return "image2"; }
  [[nodiscard]] bool shows_pictures() const override { return true; }
  [[nodiscard]] std::int64_t num_pictures() const override {
    return checked_cast<std::int64_t>(files_.size());
  }
  void rewind() override {
    move_to(first_);
    num_problems_told_ = 0;
  }
  bool seek(std::int64_t pts_ticks) override {
    move_to(std::max(first_, static_cast<std::size_t>(std::max<std::int64_t>(0, pts_ticks))));
    return true;
  }

 private:
  /// The picture was there when the row was made: one that is gone is no damage.
  void check_is_there() const {
    if (file_status(files_[next_]).error_number == ENOENT) throw_gone(files_[next_]);
  }

  void move_to(std::size_t index) {
    next_ = index;
    waiting_.reset();
  }

  std::vector<fs::path> files_;
  std::size_t next_ = 0;
  std::size_t first_ = 0;
  std::vector<std::string> problems_before_;  ///< of the pictures before first_
  std::size_t num_problems_told_ = 0;
  std::optional<PicturePacket> waiting_;
  CodecParametersPtr codec_;
};

}  // namespace

namespace {

/// True where more frames follow the first, but for formats of pictures that may move.
bool is_video(AVFormatContext& input, int index) {
  const std::string_view name(input.iformat->name);
  if (name == "gif" || name == "apng" || name.find("webp") != std::string_view::npos) return false;
  const PacketPtr packet = make_packet();
  while (read_frame(input, *packet) >= 0) {
    if (packet->stream_index == index && packet->size > 0) return true;
    av_packet_unref(packet.get());
  }
  return false;
}

/// Throws UsageError for a picture of a kind that this FFmpeg's decoder does not know.
void check_if_rare(const PicturePacket& picture, const fs::path& path) {
  const std::string kind = rare_picture_kind(
      {reinterpret_cast<const char*>(picture.packet->data), static_cast<std::size_t>(picture.packet->size)});
  if (kind.empty()) return;
  Decoder decoder(*picture.codec, AVRational{1, 25}, 1, false, max_picture_side_px);
  const FramePtr frame = make_frame();
  const bool failed = decoder.send(picture.packet.get()) == Decoder::Result::error;
  if (!failed) decoder.send(nullptr);
  if (failed || decoder.receive(*frame) != Decoder::Result::frame)
    throw_rare_kind(concat("'", path.string(), "'"), kind, decoder.problem());
}

}  // namespace

PicturePacket load_picture(const fs::path& path) {
  const InputPtr input = open_file(path);
  PicturePacket picture{make_packet(), nullptr};
  if (is_picture_format(*input->iformat) && input->nb_streams == 1) {
    // Picture decoders want the whole file; parsers can split it at an embedded preview.
    const Buffer bytes = read_file(path);
    check_av(av_new_packet(picture.packet.get(), checked_cast<int>(bytes.size())), "memory is short");
    std::memcpy(picture.packet->data, bytes.data(), bytes.size());
    picture.codec = copy_of(*input->streams[0]->codecpar);
    check_if_rare(picture, path);
    const int orientation = stored_orientation(bytes.bytes());
    if (orientation > 1) put_display_matrix(orientation, *picture.packet);
    return picture;
  }
  const int found = find_streams(*input);
  int index = styled_stream(*input);
  if (found < 0 || index < 0)
    throw UsageError(concat("'", path.string(), "' is no picture"), "it holds none",
                     "Give a JPEG or PNG file");
  while (read_frame(*input, *picture.packet) >= 0) {
    if (picture.packet->stream_index == index && picture.packet->size > 0) {
      picture.codec = copy_of(*input->streams[index]->codecpar);
      if (is_video(*input, index))
        throw UsageError(concat("'", path.string(), "' is no picture"), "it is a video",
                         "Give a picture; --preview makes one of a frame");
      return picture;
    }
    av_packet_unref(picture.packet.get());
  }
  throw UsageError(concat("'", path.string(), "' is no picture"), "it is cut", "Give a JPEG or PNG file");
}

std::unique_ptr<PacketSource> open_packets(const fs::path& path, std::optional<int> stream) {
  std::vector<fs::path> pictures = picture_row(path);
  if (!pictures.empty()) {
    if (stream.value_or(0) != 0)
      throw UsageError(concat("'", path.string(), "' has no stream ", *stream), "pictures are stream 0");
    return std::make_unique<PicturePackets>(std::move(pictures));
  }
  std::unique_ptr<PacketSource> source = std::make_unique<FilePackets>(path, stream);
  return source->codec().codec_id == AV_CODEC_ID_H264 ? with_whole_frames(std::move(source))
                                                      : std::move(source);
}

}  // namespace atelier::media
