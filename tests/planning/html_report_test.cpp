#include "atelier/planning/html_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>

#include "atelier/base/error.h"
#include "atelier/base/text.h"
#include "records.h"

namespace atelier::planning {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string page(const io::JobRecord& record) {
  return html_report({{"job.h5", record}});
}

/// What stands first in the list of findings.
std::string first_finding(const std::string& html) {
  std::smatch found;
  return std::regex_search(html, found, std::regex("<li>(.*?)</li>")) ? found[1].str() : "";
}

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

TEST(HtmlReport, NeedsNothingButItself) {
  const std::string html = page(planned_record(200, 4));
  for (const char* outside : {"http:", "https:", "src=", "href=", "url(", "@import", "<script", "<link"})
    EXPECT_THAT(html, Not(HasSubstr(outside)));
}

TEST(HtmlReport, HasEveryPart) {
  io::JobRecord record = planned_record(200, 4);
  record.events = {{2.5, 3, "retry", "chunk 7: the engine failed"}};
  const std::string html = page(record);
  for (const char* part :
       {"in.mkv → out.mkv", "Speed over time", "time since the job&#39;s start (s)", "frames/s",
        "Who did what when", "rank 0 (root) · m0", "rank 4 · m1", "Use of each rank", "Time per image",
        "ms an image", "median 111.0", "Stages", "Slowest images", "0:00.040", "Retries and other events",
        "chunk 7: the engine failed", "The job", "adaptive", "m0 (2 × CPU, root), m1 (2 × CPU)"})
    EXPECT_THAT(html, HasSubstr(part));
}

// Ten frames at the root's one encoder take 3.72 s of 4: workers style 1 s of it each.
TEST(HtmlReport, NamesTheSlowestStepFirst) {
  io::JobRecord record = planned_record(40, 4);
  record.wall_s = 5;
  for (io::FrameRow& row : record.frames) row.encode_s = 0.093F;
  EXPECT_THAT(first_finding(page(record)),
              "Encoding at the root is the busiest step: 93 % busy; workers wait 75 % of the time. --encode "
              "workers would "
              "help, or a faster --preset.");
  record = planned_record(4000, 4, true);
  EXPECT_THAT(first_finding(page(record)),
              testing::StartsWith("Styling at the 4 workers is the busiest step: 100 % busy. "
                                  "More workers would help, up to 1000.0 frames/s, where "
                                  "decoding at the root is the limit."));
}

// 40 frames of 0.28 s in 4 s: three encoders, of them two of a rank that styles nothing.
TEST(HtmlReport, CountsRanksThatHelpToEncode) {
  io::JobRecord record = planned_record(40, 1, true);
  record.ranks.push_back({.rank = 2, .role = "encoder", .host = "m0", .device = "", .num_encoders = 2});
  record.wall_s = 5;
  for (io::FrameRow& row : record.frames) {
    row.encode_s = 0.28F;
    row.style_s = 0.02F;
  }
  const std::string html = page(record);
  EXPECT_THAT(html, HasSubstr("1 worker, 1 helper and the root"));
  EXPECT_THAT(first_finding(html),
              testing::StartsWith("Encoding at the one worker and 1 helper is the busiest step: 93 % busy"));
  EXPECT_THAT(
      first_finding(html),
      testing::EndsWith("A faster --preset would help, or more ranks: those without a GPU help to encode."));
}

TEST(HtmlReport, NamesASlowRank) {
  io::JobRecord record = planned_record(400, 4);
  for (io::FrameRow& row : record.frames) {
    if (row.rank != 3) continue;
    row.style_s = 0.18F;
    row.done_s += 5;
  }
  EXPECT_THAT(page(record), HasSubstr("Rank 3 on m1 is slow: 200.0 ms an image, 2.0 times the median rank."));
  EXPECT_THAT(page(record), HasSubstr("half of the workers had nothing to do for 5.00 s while rank 3 on m1"));
}

TEST(HtmlReport, TellsHowAJobFailed) {
  io::JobRecord record = planned_record(200, 2);
  record.job[0].second = "failed";
  record.job.emplace_back("error", "cannot write 'out' (No space left on device). Free some space there.");
  for (std::size_t i = 20; i < record.frames.size(); ++i)
    record.frames[i] = {.frame_index = static_cast<int>(i)};
  const std::string html = page(record);
  EXPECT_THAT(first_finding(html),
              testing::MatchesRegex("The job failed after .* s: cannot write &#39;out&#39; .No space left "
                                    "on device.. Free some space there. 20 frames were styled by then."));
  EXPECT_THAT(html, HasSubstr("findings bad"));
  record.job[0].second = "interrupted";
  record.job.back().second = "interrupted (signal 10 came). Run the same command again";
  EXPECT_THAT(first_finding(page(record)), HasSubstr("was interrupted after"));
}

TEST(HtmlReport, ManagesRecordsWithLittleInThem) {
  io::JobRecord restored = planned_record(20, 1);
  for (io::ChunkRow& row : restored.chunks) row = {.end_frame = row.end_frame, .num_tries = 0};
  for (io::FrameRow& row : restored.frames) row.done_s = 0;
  io::JobRecord nowhere = planned_record(20, 1);
  for (io::FrameRow& row : nowhere.frames) row.chunk_index = 1000;
  for (const io::JobRecord& record : {io::JobRecord{}, planned_record(1, 1), restored, nowhere}) {
    const std::string html = page(record);
    EXPECT_THAT(html, HasSubstr("<ul class=\"findings"));
    EXPECT_FALSE(first_finding(html).empty());
    for (const char* broken : {"nan", "inf\"", "inf ", "-0.0"}) EXPECT_THAT(html, Not(HasSubstr(broken)));
  }
  EXPECT_THAT(page({}), HasSubstr("nothing to plot"));
}

TEST(HtmlReport, SaysThatAnOldRecordKnowsChunksOnly) {
  io::JobRecord record = planned_record(100, 2);
  EXPECT_THAT(page(record), Not(HasSubstr("older version")));
  for (io::FrameRow& row : record.frames)
    row.decoded_s = row.sent_s = row.received_s = row.style_begin_s = row.encode_begin_s = 0;
  for (io::ChunkRow& row : record.chunks) row.flush_begin_s = row.encode_end_s = 0;
  const std::string html = page(record);
  EXPECT_THAT(html, HasSubstr("older version"));
  EXPECT_THAT(html, HasSubstr("<path class=\"style\" d=\"M"));
}

TEST(HtmlReport, EscapesEveryText) {
  const std::string evil = "<script>alert('1')</script>&\"\x01\xff\xc3";
  io::JobRecord record = planned_record(60, 2);
  for (auto& [name, value] : record.job) value += evil;
  record.job.emplace_back("setting." + evil, evil);
  record.job.emplace_back("error", evil);
  for (io::RankRow& row : record.ranks) row.host = row.device = evil;
  record.events = {{1, 0, evil, evil}};
  for (const std::string& html : {page(record), html_report({{evil, record}, {evil, record}})}) {
    EXPECT_THAT(html, Not(HasSubstr("<script")));
    EXPECT_THAT(html, HasSubstr("&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;&quot;"));
    for (const char control : {'\x01', '\xff'}) EXPECT_EQ(html.find(control), std::string::npos);
  }
}

TEST(HtmlReport, IsBoundedInSize) {
  constexpr std::size_t max_bytes = 600'000;
  io::JobRecord record = planned_record(100'000, 64, true);
  for (int i = 0; i < 5000; ++i) record.events.push_back({0.1 * i, 1, "retry", std::string(2000, 'x')});
  EXPECT_LT(page(record).size(), max_bytes);
  for (io::RankRow& row : record.ranks) row.host = "machine-" + std::to_string(row.rank);
  const std::string html = page(record);
  EXPECT_LT(html.size(), max_bytes);
  EXPECT_THAT(html, HasSubstr("Ranks are put together by machine"));
  EXPECT_LE(count_of(html, "class=\"track\""), 40U * 6U);
  EXPECT_LT(page(planned_record(10'000, 39)).size(), max_bytes);
}

TEST(HtmlReport, TellsTheCostWhereItKnowsPrices) {
  const Prices prices =
      parse_prices("currency = EUR\ncold_start_s = 360\n[machine.2]\nprice_per_h = 10\n", "p.cfg");
  io::JobRecord record = planned_record(200, 4);
  record.wall_s = 36;  // 2 machines: 0.2 EUR
  const std::string html = html_report({{"a.h5", record}}, &prices);
  for (const char* part : {"<b>0.200 EUR</b>", "1.00 EUR", "2 machines with 2 workers", "2.00 EUR more"})
    EXPECT_THAT(html, HasSubstr(part));
  EXPECT_THAT(page(record), Not(HasSubstr("Cost")));
  EXPECT_THAT(html_report({{"a.h5", record}, {"b.h5", record}}, &prices), HasSubstr("cost of 1000 frames"));
  record.ranks[0].host = "alone";
  EXPECT_THAT(html_report({{"a.h5", record}}, &prices), HasSubstr("the machine of the root"));
  EXPECT_THROW(html_report({{"a.h5", planned_record(20, 3)}}, &prices), UsageError);
  EXPECT_THROW(html_report({{"a.h5", {}}}, &prices), UsageError);
}

TEST(HtmlReport, ShowsSeveralSideBySide) {
  io::JobRecord faster = planned_record(200, 2);
  faster.wall_s /= 1.25;
  faster.job.emplace_back("setting.chunk-frames", "24");
  const std::string html = html_report({{"a.h5", planned_record(200, 2)}, {"b.h5", faster}, {"c.h5", {}}});
  for (const char* part :
       {"3 jobs side by side", "Side by side", "Settings that differ", "<td>chunk-frames</td>", "(+25 %)",
        "class=\"l0\"", "class=\"l1\"", "% of the frames"})
    EXPECT_THAT(html, HasSubstr(part));
  EXPECT_EQ(count_of(html, "<div class=\"job\">"), 3U);
}

}  // namespace
}  // namespace atelier::planning
