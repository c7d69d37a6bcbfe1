#include "findings.h"

#include <algorithm>
#include <map>
#include <string_view>

#include "atelier/base/statistics.h"
#include "atelier/base/text.h"

namespace atelier::planning {
namespace {

constexpr double busy_use = 0.8;          // of a step that holds the others up
constexpr double notable_share = 0.25;    // of the job's time
constexpr double tail_share = 0.1;        // of the job's time, at its end
constexpr double slow_rank_factor = 1.3;  // against the median rank

std::string capital(std::string text) {
  if (!text.empty() && text[0] >= 'a' && text[0] <= 'z') text[0] = static_cast<char>(text[0] - 'a' + 'A');
  return text;
}

std::string outcome_sentence(const io::JobRecord& record, const KeyNumbers& numbers) {
  const std::string outcome = job_value(record, "outcome");
  const std::string error = job_value(record, "error");
  const std::string so_far =
      concat(numbers.num_styled, numbers.num_styled == 1 ? " frame was" : " frames were", " styled by then.");
  // "interrupted (why). suggestion"
  constexpr std::string_view word = "interrupted";
  if (outcome == word && error.starts_with(word))
    return concat("The job was interrupted after ", time_text(record.wall_s), error.substr(word.size()), ' ',
                  so_far);
  return concat("The job ", outcome == word ? "was interrupted" : "failed", " after ",
                time_text(record.wall_s), error.empty() ? "" : concat(": ", without_period(error)), ". ",
                so_far);
}

// What to do about the step that limits the job, if that is known; next: the one that would limit it then.
std::string advice(const io::JobRecord& record, const Load& limiting, const std::vector<Load>& all) {
  if (record.ranks.size() <= 1)
    return "One process did everything; 'mpirun -n N' puts more cores, GPUs or machines to work.";
  if (limiting.name == "encoding") {
    if (!encodes_at_workers(record)) return "--encode workers would help, or a faster --preset.";
    if (num_helpers(record) > 0 || job_value(record, "worker_kind") == "gpu")
      return "A faster --preset would help, or more ranks: those without a GPU help to encode.";
    return "A faster --preset or more workers would help.";
  }
  if (limiting.name == "decoding")
    return decodes_at_workers(record) ? "More workers would help."
                                      : concat("--decode workers may help: the root decodes at most ",
                                               fixed(limiting.limit_frames_per_s, 1), " frames/s.");
  const Load* next = nullptr;
  for (const Load& load : all) {
    if (load.where != limiting.where && load.limit_frames_per_s > 0 &&
        (next == nullptr || load.limit_frames_per_s < next->limit_frames_per_s))
      next = &load;
  }
  if (next == nullptr) return "More workers would help.";
  return concat("More workers would help, up to ", fixed(next->limit_frames_per_s, 1), " frames/s, where ",
                next->name, ' ', next->where, " is the limit.");
}

std::string bottleneck_sentence(const io::JobRecord& record, const KeyNumbers& numbers) {
  const auto limiting = std::ranges::max_element(numbers.loads, {}, &Load::use);
  if (limiting == numbers.loads.end() || limiting->use <= 0) return {};
  const Load& styling = numbers.loads[1];
  std::string text = concat(capital(limiting->name), ' ', limiting->where,
                            " is the busiest step: ", percent_text(limiting->use), " busy");
  if (limiting->name != styling.name && record.ranks.size() > 1)
    text += concat("; workers wait ", percent_text(1 - styling.use), " of the time");
  text += ". ";
  if (limiting->use >= busy_use) return text + advice(record, *limiting, numbers.loads);
  return text +
         "No step was busy all the time: they waited for one another, for transfers, or for the start and "
         "the end.";
}

void add_time_sentences(const io::JobRecord& record, const std::vector<io::FrameRow>& styled,
                        std::vector<std::string>& sentences) {
  if (record.wall_s <= 0) return;
  if (record.startup_s > notable_share * record.wall_s)
    sentences.push_back(concat("The start took ", time_text(record.startup_s), " of ",
                               time_text(record.wall_s), ": until then no frame was dealt."));
  double last_s = 0;
  for (const io::FrameRow& row : styled) last_s = std::max(last_s, row.done_s);
  if (!styled.empty() && record.wall_s - last_s > notable_share * record.wall_s)
    sentences.push_back(concat("After the last frame was styled, ", time_text(record.wall_s - last_s),
                               " went into encoding, joining and copying the file."));
}

std::string rank_text(const io::JobRecord& record, int rank) {
  const auto row = std::ranges::find(record.ranks, rank, &io::RankRow::rank);
  return concat("ank ", rank,
                row == record.ranks.end() || row->host.empty() ? "" : concat(" on ", row->host));
}

// A rank that is slower than the others, and what waiting for the last one cost.
void add_slow_ranks(const io::JobRecord& record, const std::vector<io::FrameRow>& styled,
                    std::vector<std::string>& sentences) {
  struct Rank {
    double busy_s = 0;
    double last_s = 0;
    std::int64_t num_frames = 0;
    [[nodiscard]] double mean_ms() const { return 1e3 * busy_s / static_cast<double>(num_frames); }
  };
  std::map<int, Rank> ranks;
  for (const io::FrameRow& row : styled) {
    Rank& rank = ranks[row.rank];
    rank.busy_s += static_cast<double>(row.transfer_s + row.convert_s + row.style_s);
    rank.last_s = std::max(rank.last_s, row.done_s);
    ++rank.num_frames;
  }
  if (ranks.size() < 2) return;
  std::vector<double> means_ms;
  std::vector<double> lasts_s;
  for (const auto& [number, rank] : ranks) {
    means_ms.push_back(rank.mean_ms());
    lasts_s.push_back(rank.last_s);
  }
  const double middle_ms = median(means_ms);
  const auto slowest =
      std::ranges::max_element(ranks, {}, [](const auto& entry) { return entry.second.mean_ms(); });
  if (ranks.size() > 2 && slowest->second.mean_ms() > slow_rank_factor * middle_ms)
    sentences.push_back(concat('R', rank_text(record, slowest->first),
                               " is slow: ", fixed(slowest->second.mean_ms(), 1), " ms an image, ",
                               fixed(slowest->second.mean_ms() / middle_ms, 1), " times the median rank."));
  std::ranges::sort(lasts_s);
  const double waited_s = lasts_s.back() - lasts_s[(lasts_s.size() - 1) / 2];
  const auto last =
      std::ranges::max_element(ranks, {}, [](const auto& entry) { return entry.second.last_s; });
  if (waited_s > tail_share * record.wall_s)
    sentences.push_back(
        concat("At the end, half of the workers had nothing to do for ", time_text(waited_s), " while r",
               rank_text(record, last->first),
               " was still styling: shorter chunks (--chunk-frames) would divide the end better."));
}

}  // namespace

std::string time_text(double seconds_s) {
  return seconds_s < 120 ? concat(fixed(seconds_s, seconds_s < 10 ? 2 : 1), " s")
                         : concat(human_duration(seconds_s), seconds_s < 3600 ? " min" : " h");
}

std::string money_text(double amount) {
  int decimals = 2;
  for (double least = 1; amount > 0 && amount < least && decimals < 8; least /= 10) ++decimals;
  return fixed(amount, decimals);
}

std::string percent_text(double share) {
  return concat(fixed(100 * share, 0), " %");
}

Findings find_what_matters(const io::JobRecord& record, const std::vector<io::FrameRow>& styled,
                           const KeyNumbers& numbers) {
  Findings findings;
  std::vector<std::string>& sentences = findings.sentences;
  if (const std::string outcome = job_value(record, "outcome"); outcome != "done" && !outcome.empty()) {
    findings.bad = true;
    sentences.push_back(outcome_sentence(record, numbers));
  }
  // What is busy all the time comes first; if nothing is, then what made it wait.
  const std::string bottleneck = bottleneck_sentence(record, numbers);
  const bool clear =
      std::ranges::any_of(numbers.loads, [](const Load& load) { return load.use >= busy_use; });
  if (clear) sentences.push_back(bottleneck);
  add_slow_ranks(record, styled, sentences);
  add_time_sentences(record, styled, sentences);
  if (!clear && !bottleneck.empty()) sentences.push_back(bottleneck);
  if (numbers.num_retries > 0)
    sentences.push_back(concat(numbers.num_retries, numbers.num_retries == 1 ? " chunk" : " chunks",
                               " had to be styled again; the events below say why."));
  if (!job_value(record, "damage.num_errors").empty())
    sentences.emplace_back("The input is damaged; the events below say where.");
  if (numbers.num_restored > 0)
    sentences.push_back(
        concat(numbers.num_restored,
               " frames were there already from an earlier start; their times are not in the plots."));
  if (sentences.empty())
    sentences.emplace_back(styled.empty() ? "This start has styled no frame." : "Nothing stands out.");
  return findings;
}

}  // namespace atelier::planning
