#include "stream_choice.h"

#include <algorithm>
#include <functional>
#include <set>
#include <utility>

#include "atelier/base/text.h"
#include "input.h"
#include "input_io.h"

namespace atelier::media {
namespace fs = std::filesystem;
namespace {

// How far a file is read to see which of its streams have frames.
constexpr double max_looked_at_s = 5;
constexpr std::int64_t max_looked_at_bytes = std::int64_t{64} << 20;

struct Criterion {
  const char* clause;
  std::function<std::int64_t(const StreamCandidate&)> score;  ///< higher wins
};

const std::vector<Criterion>& criteria() {
  static const std::vector<Criterion> all{
      {"it has frames in the first seconds", [](const StreamCandidate& c) { return c.has_frames ? 1 : 0; }},
      {"it is the default", [](const StreamCandidate& c) { return c.is_default ? 1 : 0; }},
      {"it is in the programme of the sound",
       [](const StreamCandidate& c) { return c.is_with_sound ? 1 : 0; }},
      {"it is the largest", [](const StreamCandidate& c) { return c.num_pixels; }},
      {"it is the first", [](const StreamCandidate& c) { return -std::int64_t{c.index}; }},
  };
  return all;
}

bool is_of_type(const AVStream& stream, AVMediaType type) {
  return stream.codecpar->codec_type == type;
}

/// Indices of the wanted streams that have data at the beginning of the file.
std::set<int> streams_with_data(const fs::path& path, const std::set<int>& wanted) {
  const InputPtr input = open_input(path);
  const PacketPtr packet = make_packet();
  std::set<int> seen;
  std::optional<double> begin_s;
  std::int64_t num_bytes = 0;
  while (seen != wanted && num_bytes < max_looked_at_bytes && read_frame(*input, *packet) >= 0) {
    const std::int64_t ticks = packet->dts == AV_NOPTS_VALUE ? packet->pts : packet->dts;
    if (ticks != AV_NOPTS_VALUE) {
      const double time_s =
          static_cast<double>(ticks) * av_q2d(input->streams[packet->stream_index]->time_base);
      begin_s = std::min(begin_s.value_or(time_s), time_s);
      if (time_s > *begin_s + max_looked_at_s) break;
    }
    num_bytes += packet->size;
    if (packet->size > 0 && wanted.contains(packet->stream_index)) seen.insert(packet->stream_index);
    av_packet_unref(packet.get());
  }
  return seen;
}

/// True where a programme holds the stream and sound that has data.
bool is_with_sound(const AVFormatContext& input, int index, const std::set<int>& with_data) {
  for (unsigned p = 0; p < input.nb_programs; ++p) {
    const AVProgram& program = *input.programs[p];
    const std::set<unsigned> members(program.stream_index, program.stream_index + program.nb_stream_indexes);
    if (!members.contains(static_cast<unsigned>(index))) continue;
    if (std::any_of(members.begin(), members.end(), [&](unsigned member) {
          return is_of_type(*input.streams[member], AVMEDIA_TYPE_AUDIO) &&
                 with_data.contains(static_cast<int>(member));
        }))
      return true;
  }
  return false;
}

/// The size and a decoder are known: a scrambled stream has packets too.
bool is_decodable(const AVStream& stream) {
  return stream.codecpar->width > 0 && avcodec_find_decoder(stream.codecpar->codec_id) != nullptr;
}

StreamChoice checked(const fs::path& path, const AVFormatContext& input, int wanted) {
  const std::string name = concat("'", path.string(), "'");
  if (wanted < 0 || std::cmp_greater_equal(wanted, input.nb_streams))
    throw UsageError(concat(name, " has no stream ", wanted), concat("it has ", input.nb_streams),
                     "`atelier info FILE` lists them");
  const AVStream& stream = *input.streams[wanted];
  const char* type = av_get_media_type_string(stream.codecpar->codec_type);
  if (!is_of_type(stream, AVMEDIA_TYPE_VIDEO))
    throw UsageError(concat("stream ", wanted, " of ", name, " cannot be styled"),
                     type == nullptr ? "it is no video" : concat("it is no video but ", type),
                     "`atelier info FILE` lists the streams");
  if (is_cover_art(stream))
    throw UsageError(concat("stream ", wanted, " of ", name, " cannot be styled"), "it is a cover picture",
                     "Save it as a picture first");
  return {wanted, "--stream"};
}

}  // namespace

StreamChoice choose_stream(const std::vector<StreamCandidate>& candidates) {
  std::vector<StreamCandidate> left;
  std::copy_if(candidates.begin(), candidates.end(), std::back_inserter(left),
               [](const StreamCandidate& c) { return !c.is_cover; });
  std::vector<std::string> clauses;
  for (const Criterion& criterion : criteria()) {
    if (left.size() < 2) break;
    std::int64_t best = criterion.score(left.front());
    for (const StreamCandidate& c : left) best = std::max(best, criterion.score(c));
    if (std::erase_if(left, [&](const StreamCandidate& c) { return criterion.score(c) < best; }) > 0)
      clauses.emplace_back(criterion.clause);
  }
  if (left.empty()) return {};
  return {left.front().index, join(clauses, ", ")};
}

StreamChoice choose_styled_stream(const fs::path& path, const AVFormatContext& input,
                                  std::optional<int> wanted) {
  if (wanted) return checked(path, input, *wanted);
  std::vector<StreamCandidate> candidates;
  std::set<int> looked_at;
  for (int i = 0; std::cmp_less(i, input.nb_streams); ++i) {
    const AVStream& stream = *input.streams[i];
    if (is_of_type(stream, AVMEDIA_TYPE_AUDIO) && input.nb_programs > 0) looked_at.insert(i);
    if (!is_of_type(stream, AVMEDIA_TYPE_VIDEO)) continue;
    const bool is_cover = is_cover_art(stream);
    if (!is_cover) looked_at.insert(i);
    candidates.push_back({.index = i,
                          .is_cover = is_cover,
                          .is_default = (stream.disposition & AV_DISPOSITION_DEFAULT) != 0,
                          .num_pixels = std::int64_t{stream.codecpar->width} * stream.codecpar->height});
  }
  if (std::count_if(candidates.begin(), candidates.end(), [](const auto& c) { return !c.is_cover; }) > 1) {
    const std::set<int> with_data = streams_with_data(path, looked_at);
    for (StreamCandidate& candidate : candidates) {
      candidate.has_frames =
          with_data.contains(candidate.index) && is_decodable(*input.streams[candidate.index]);
      candidate.is_with_sound = is_with_sound(input, candidate.index, with_data);
    }
  }
  StreamChoice choice = choose_stream(candidates);
  if (choice.index < 0) throw_no_video(input, path);
  return choice;
}

}  // namespace atelier::media
