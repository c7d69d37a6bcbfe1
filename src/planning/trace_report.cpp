#include "atelier/planning/trace_report.h"

#include <algorithm>
#include <array>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "analysis.h"
#include "atelier/base/text.h"
#include "atelier/base/version.h"
#include "spans.h"
#include "text_file.h"

namespace atelier::planning {
namespace {

constexpr std::size_t max_samples = 4000;  // of a counter
constexpr int max_lanes = 1000;
constexpr int threads_of_chunks = num_activities;  // beside the activities

std::string json_text(const std::string& text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string microseconds(double seconds) {
  return fixed(1e6 * std::max(0.0, seconds), 3);
}

/// The events of one record.
class Trace {
 public:
  Trace(TextFile& file, const NamedRecord& named, int first_process, bool several, bool& any)
      : file_(file), record_(named.record), any_(any) {
    int process = first_process;
    for (const io::RankRow& row : record_.ranks) {
      const auto [it, is_new] = processes_.try_emplace(row.host, process);
      if (is_new) {
        ++process;
        const std::string host = row.host.empty() ? "machine" : row.host;
        meta("process_name", it->second, 0, several ? concat(named.name, ": ", host) : host);
      }
      process_of_rank_[row.rank] = it->second;
    }
    if (processes_.empty()) meta("process_name", process_of_rank_[0] = first_process, 0, named.name);
    next_process_ = std::max(process, first_process + 1);
  }

  void write() {
    std::map<int, std::vector<Span>> spans;
    for_each_span(record_, [&](const Span& span) { spans[span.rank].push_back(span); });
    for (auto& [rank, of_rank] : spans) write_spans(rank, std::move(of_rank));
    write_chunks();
    write_counters();
    for (const io::EventRow& event : record_.events)
      put(concat(R"("ph":"i","s":"p","name":)", json_text(event.kind), R"(,"ts":)",
                 microseconds(event.time_s), place(event.rank, 0), R"(,"args":{"text":)",
                 json_text(event.text), "}"));
  }

  [[nodiscard]] int next_process() const { return next_process_; }

 private:
  /// event: all but the braces.
  void put(const std::string& event) {
    file_.put(any_ ? ",\n{" : "\n{");
    file_.put(event);
    file_.put("}");
    any_ = true;
  }

  void meta(const char* what, int process, int thread, const std::string& name) {
    put(concat(R"("ph":"M","name":")", what, R"(","pid":)", process, R"(,"tid":)", thread,
               R"(,"args":{"name":)", json_text(name), "}"));
  }

  [[nodiscard]] std::string place(int rank, int thread) const {
    const auto process = process_of_rank_.find(rank);
    return concat(R"(,"pid":)",
                  process == process_of_rank_.end() ? process_of_rank_.begin()->second : process->second,
                  R"(,"tid":)", thread);
  }

  // Threads of one rank stand together; kind: an activity, or the chunks. Gives a name to a new one.
  int thread(int rank, int kind, int lane, const char* name) {
    const int number = 1 + (rank * (num_activities + 1) + kind) * max_lanes + std::min(lane, max_lanes - 1);
    if (named_.insert(number).second) {
      const auto process = process_of_rank_.find(rank);
      meta("thread_name",
           process == process_of_rank_.end() ? process_of_rank_.begin()->second : process->second, number,
           concat("rank ", rank, ' ', name, lane == 0 ? "" : concat(" (", lane + 1, ")")));
    }
    return number;
  }

  void slice(int rank, int thread_number, const std::string& name, double begin_s, double end_s,
             const std::string& arguments) {
    put(concat(R"("ph":"X","name":)", json_text(name), R"(,"ts":)", microseconds(begin_s), R"(,"dur":)",
               microseconds(end_s - begin_s), place(rank, thread_number), R"(,"args":{)", arguments, "}"));
  }

  // The first lane that is free again: slices of a thread may not overlap. A worker's times of two chunks may
  // seem to, by as much as its clock was corrected in between: then begin_s is moved.
  static std::size_t free_lane(std::vector<double>& lane_ends_s, double& begin_s, double end_s) {
    constexpr double max_correction_s = 0.002;
    const double moved_s = std::min(max_correction_s, (end_s - begin_s) / 2);
    std::size_t lane = 0;
    while (lane < lane_ends_s.size() && lane_ends_s[lane] > begin_s + moved_s) ++lane;
    if (lane < lane_ends_s.size()) begin_s = std::max(begin_s, lane_ends_s[lane]);
    if (lane == lane_ends_s.size()) lane_ends_s.push_back(0);
    lane_ends_s[lane] = end_s;
    return lane;
  }

  void write_spans(int rank, std::vector<Span> spans) {
    std::ranges::sort(spans, {}, [](const Span& span) { return std::pair(span.begin_s, span.end_s); });
    std::array<std::vector<double>, num_activities> lane_ends_s;
    for (Span& span : spans) {
      if (span.activity == Activity::transfer) {
        write_transfer(span);
        continue;
      }
      const auto kind = static_cast<std::size_t>(span.activity);
      const std::size_t lane = free_lane(lane_ends_s[kind], span.begin_s, span.end_s);
      const char* name = name_of(span.activity);
      const int number = thread(rank, static_cast<int>(kind), static_cast<int>(lane), name);
      const bool whole = span.frame_index < 0;
      slice(rank, number,
            concat(whole ? "chunk " : "frame ", whole ? span.chunk_index : span.frame_index,
                   span.detail[0] == '\0' ? "" : " ", span.detail),
            span.begin_s, span.end_s,
            concat(R"("stage":")", name, R"(","chunk":)", span.chunk_index,
                   whole ? "" : concat(R"(,"frame":)", span.frame_index)));
    }
  }

  // Many are under way at the same time: a pair of events that belong together by their number.
  void write_transfer(const Span& span) {
    const std::string common =
        concat(R"("cat":"transfer","id":)", ++num_transfers_, R"(,"name":"rank )", span.rank, " transfer\"");
    put(concat(R"("ph":"b",)", common, R"(,"ts":)", microseconds(span.begin_s), place(span.rank, 0),
               R"(,"args":{"frame":)", span.frame_index, R"(,"way":")", span.detail, "\"}"));
    put(concat(R"("ph":"e",)", common, R"(,"ts":)", microseconds(span.end_s), place(span.rank, 0)));
  }

  void write_chunks() {
    std::vector<io::ChunkRow> chunks;
    for (const io::ChunkRow& row : record_.chunks) {
      if (row.num_tries > 0 && row.dealt_s > 0) chunks.push_back(row);
    }
    std::ranges::sort(chunks, {}, &io::ChunkRow::dealt_s);
    std::map<int, std::vector<double>> lane_ends_s;
    for (io::ChunkRow& row : chunks) {
      const double end_s = row.encoded_s > 0  ? row.encoded_s
                           : row.styled_s > 0 ? row.styled_s
                                              : record_.wall_s;
      const std::size_t lane = free_lane(lane_ends_s[row.rank], row.dealt_s, end_s);
      slice(row.rank, thread(row.rank, threads_of_chunks, static_cast<int>(lane), "chunks"),
            concat("chunk ", row.chunk_index), row.dealt_s, std::max(row.dealt_s, end_s),
            concat(R"("first_frame":)", row.first_frame, R"(,"end_frame":)", row.end_frame, R"(,"tries":)",
                   row.num_tries, R"(,"bytes":)", row.encoded_bytes));
    }
  }

  void counter(const char* name, double time_s, std::int64_t value) {
    put(concat(R"("ph":"C","name":")", name, R"(","ts":)", microseconds(time_s), place(0, 0),
               R"(,"args":{"value":)", value, "}"));
  }

  void write_counters() {
    std::vector<double> done_s;
    for (const io::FrameRow& row : record_.frames) {
      if (row.done_s > 0) done_s.push_back(row.done_s);
    }
    std::ranges::sort(done_s);
    const std::size_t step = 1 + done_s.size() / max_samples;
    for (std::size_t i = 0; i < done_s.size(); i += step)
      counter("frames done", done_s[i], static_cast<std::int64_t>(i) + 1);
    if (!done_s.empty()) counter("frames done", done_s.back(), static_cast<std::int64_t>(done_s.size()));

    std::vector<std::pair<double, int>> changes;
    for (const io::ChunkRow& row : record_.chunks) {
      if (row.num_tries == 0 || row.dealt_s <= 0) continue;
      changes.emplace_back(row.dealt_s, 1);
      if (row.encoded_s > 0) changes.emplace_back(row.encoded_s, -1);
    }
    std::ranges::sort(changes);
    std::int64_t under_way = 0;
    for (const auto& [time_s, change] : changes) counter("chunks under way", time_s, under_way += change);
  }

  TextFile& file_;
  const io::JobRecord& record_;
  bool& any_;  // an event was written
  std::map<std::string, int> processes_;
  std::map<int, int> process_of_rank_;
  std::set<int> named_;
  std::int64_t num_transfers_ = 0;
  int next_process_ = 1;
};

}  // namespace

void write_trace(const std::filesystem::path& path, const std::vector<NamedRecord>& records) {
  TextFile file(path);
  file.put(concat(R"({"displayTimeUnit":"ms","otherData":{"made by":"atelier report )", program_version(),
                  R"("},"traceEvents":[)"));
  bool any = false;
  int process = 1;
  for (const NamedRecord& named : records) {
    Trace trace(file, named, process, records.size() > 1, any);
    trace.write();
    process = trace.next_process();
  }
  file.put("\n]}\n");
  file.close();
}

}  // namespace atelier::planning
