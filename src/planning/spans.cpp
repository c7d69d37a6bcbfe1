#include "spans.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "analysis.h"
#include "atelier/base/text.h"
#include "atelier/schedule/policy.h"

namespace atelier::planning {
namespace {

constexpr double seconds(float value) {
  return static_cast<double>(value);
}

void spans_of_chunk(const io::ChunkRow& chunk, bool knows, const std::function<void(const Span&)>& use) {
  if (knows) {
    if (chunk.encode_end_s > 0)
      use({chunk.encode_rank, Activity::encode, chunk.flush_begin_s, chunk.encode_end_s, chunk.chunk_index,
           -1, "flush"});
    return;
  }
  if (chunk.styled_s > 0)
    use({chunk.rank, Activity::style, chunk.dealt_s, chunk.styled_s, chunk.chunk_index});
  if (chunk.encoded_s > 0 && chunk.styled_s > 0)
    use({chunk.encode_rank, Activity::encode, chunk.styled_s, chunk.encoded_s, chunk.chunk_index});
}

void spans_of_frame(const io::FrameRow& frame, const io::ChunkRow& chunk, bool alone,
                    const std::function<void(const Span&)>& use) {
  const auto span = [&](int rank, Activity activity, double begin_s, double end_s, const char* detail) {
    if (begin_s > 0 && end_s >= begin_s)
      use({rank, activity, begin_s, end_s, chunk.chunk_index, frame.frame_index, detail});
  };
  // A frame that the root has decoded was sent.
  if (frame.decoded_s > 0)
    span(frame.sent_s > 0 ? 0 : frame.rank, Activity::decode, frame.decoded_s - seconds(frame.decode_s),
         frame.decoded_s, "");
  const double style_end_s =
      frame.style_begin_s + seconds(frame.transfer_s) + seconds(frame.convert_s) + seconds(frame.style_s);
  span(frame.rank, Activity::style, frame.style_begin_s, style_end_s, "");
  if (!alone) {
    span(frame.rank, Activity::transfer, frame.sent_s, frame.received_s, "to the worker");
    if (frame.style_begin_s > 0 && chunk.encode_rank == 0)
      span(frame.rank, Activity::transfer, style_end_s, frame.done_s, "to the root");
  }
  // A frame's encode_s has its share of the flush, which is a span of its own.
  const auto num_frames = static_cast<double>(std::max<std::int64_t>(1, chunk.end_frame - chunk.first_frame));
  const double flush_share_s = (chunk.encode_end_s - chunk.flush_begin_s) / num_frames;
  const double encode_s = std::max(0.0, seconds(frame.encode_s) - flush_share_s);
  if (chunk.encode_end_s > 0)
    span(chunk.encode_rank, Activity::encode, frame.encode_begin_s, frame.encode_begin_s + encode_s, "");
}

int lanes_of(const io::JobRecord& record, const io::RankRow& row, Activity activity) {
  switch (activity) {
    case Activity::decode:
      if (!decodes_at_workers(record)) return row.rank == 0 ? 1 : 0;
      return row.styles() ? schedule::num_decoders(row.num_threads) : 0;
    case Activity::transfer:
      return row.rank == 0 ? 0 : 1;
    case Activity::style:
      return row.styles() ? std::max(1, row.num_threads) : 0;
    default:
      if (row.num_encoders > 0) return row.num_encoders;
      return encodes_at_workers(record) == (row.rank != 0) ? 1 : 0;
  }
}

void add(const io::JobRecord& record, RankGroup& group, const io::RankRow& row) {
  group.ranks.push_back(row.rank);
  group.works = group.works || row.role != "root";
  for (int a = 0; a < num_activities; ++a)
    group.lanes[static_cast<std::size_t>(a)] += lanes_of(record, row, static_cast<Activity>(a));
}

std::string rank_label(const io::RankRow& row) {
  return concat("rank ", row.rank, row.rank == 0 ? " (root)" : "",
                row.host.empty() ? "" : concat(" · ", row.host));
}

}  // namespace

const char* name_of(Activity activity) {
  constexpr std::array names{"decode", "transfer", "style", "encode"};
  return names[static_cast<std::size_t>(activity)];
}

bool knows_begins(const io::JobRecord& record) {
  return std::ranges::any_of(record.frames, [](const io::FrameRow& row) { return row.decoded_s > 0; });
}

void for_each_span(const io::JobRecord& record, const std::function<void(const Span&)>& use) {
  const bool knows = knows_begins(record);
  const bool alone = record.ranks.size() <= 1;
  for (const io::ChunkRow& chunk : record.chunks) {
    if (chunk.num_tries > 0) spans_of_chunk(chunk, knows, use);
  }
  if (!knows) return;
  for (const io::FrameRow& frame : record.frames) {
    if (frame.chunk_index < 0 || static_cast<std::size_t>(frame.chunk_index) >= record.chunks.size())
      continue;
    const io::ChunkRow& chunk = record.chunks[static_cast<std::size_t>(frame.chunk_index)];
    if (chunk.num_tries > 0) spans_of_frame(frame, chunk, alone, use);
  }
}

std::vector<RankGroup> group_ranks(const io::JobRecord& record, std::size_t max_groups) {
  std::vector<RankGroup> groups;
  if (record.ranks.size() <= max_groups) {
    for (const io::RankRow& row : record.ranks) {
      groups.push_back({.label = rank_label(row), .ranks = {}});
      add(record, groups.back(), row);
    }
    return groups;
  }
  // The root, then parts of equal size of the machines in the order of their ranks.
  std::vector<std::string> hosts;
  for (const io::RankRow& row : record.ranks) {
    if (row.rank != 0 && std::ranges::find(hosts, row.host) == hosts.end()) hosts.push_back(row.host);
  }
  const std::size_t hosts_a_group = (hosts.size() + max_groups - 2) / (max_groups - 1);
  std::map<std::string, std::size_t> group_of_host;
  groups.push_back({.label = "rank 0 (root)", .ranks = {}});
  for (std::size_t i = 0; i < hosts.size(); ++i) {
    if (i % hosts_a_group == 0) groups.push_back({.label = hosts[i], .ranks = {}});
    group_of_host[hosts[i]] = groups.size() - 1;
  }
  for (const io::RankRow& row : record.ranks)
    add(record, groups[row.rank == 0 ? 0 : group_of_host.at(row.host)], row);
  for (std::size_t i = 1; i < groups.size(); ++i)
    groups[i].label += concat(hosts_a_group > 1 ? " …" : "", " (", groups[i].ranks.size(), " ranks)");
  return groups;
}

std::vector<BusyShares> busy_shares(const io::JobRecord& record, const std::vector<RankGroup>& groups,
                                    std::size_t num_bins) {
  std::vector<BusyShares> shares(groups.size());
  for (BusyShares& of_group : shares) {
    for (std::vector<double>& bins : of_group) bins.assign(num_bins, 0);
  }
  if (record.wall_s <= 0 || num_bins == 0) return shares;
  std::map<int, std::size_t> group_of_rank;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    for (const int rank : groups[g].ranks) group_of_rank[rank] = g;
  }
  const double bin_s = record.wall_s / static_cast<double>(num_bins);
  for_each_span(record, [&](const Span& span) {
    const auto group = group_of_rank.find(span.rank);
    if (group == group_of_rank.end()) return;
    std::vector<double>& bins = shares[group->second][static_cast<std::size_t>(span.activity)];
    const double begin_s = std::clamp(span.begin_s, 0.0, record.wall_s);
    const double end_s = std::clamp(span.end_s, begin_s, record.wall_s);
    for (auto bin = static_cast<std::size_t>(begin_s / bin_s); bin < num_bins; ++bin) {
      const double bin_begin_s = static_cast<double>(bin) * bin_s;
      if (bin_begin_s >= end_s) break;
      bins[bin] += std::min(end_s, bin_begin_s + bin_s) - std::max(begin_s, bin_begin_s);
    }
  });
  for (std::size_t g = 0; g < groups.size(); ++g) {
    for (std::size_t a = 0; a < shares[g].size(); ++a) {
      const double capacity_s = bin_s * std::max(1, groups[g].lanes[a]);
      for (double& value : shares[g][a]) value = std::min(1.0, value / capacity_s);
    }
  }
  return shares;
}

}  // namespace atelier::planning
