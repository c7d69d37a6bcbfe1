#include "atelier/planning/html_report.h"

#include "atelier/base/stopwatch.h"
#include "atelier/base/text.h"
#include "atelier/base/version.h"
#include "comparison.h"
#include "findings.h"
#include "html.h"
#include "job_plots.h"
#include "job_sections.h"

namespace atelier::planning {
namespace {

std::string file_name(const std::string& path) {
  return path.substr(path.find_last_of('/') + 1);
}

std::string job_title(const io::JobRecord& record) {
  const std::string input = file_name(job_value(record, "input.path"));
  const std::string output = file_name(job_value(record, "setting.output"));
  if (input.empty() && output.empty()) return "A job of atelier";
  return concat(input, input.empty() || output.empty() ? "" : " → ", output);
}

std::string sub_title(const Analysed& job) {
  const io::JobRecord& record = job.named->record;
  std::string text = job_value(record, "outcome");
  if (record.start_time_s > 0)
    text += concat(text.empty() ? "" : ", ", "started ", utc_text(record.start_time_s));
  const std::string engine = job_value(record, "setting.engine");
  if (!engine.empty()) text += concat(", engine ", engine);
  return text + concat(", record ", job.named->name);
}

std::string findings_list(const Analysed& job) {
  const Findings findings = find_what_matters(job.named->record, job.styled, job.numbers);
  std::string html = concat("<ul class=\"findings", findings.bad ? " bad" : "", "\">\n");
  for (const std::string& sentence : findings.sentences)
    html += concat("<li>", html_text(sentence), "</li>\n");
  return html + "</ul>\n";
}

std::string job_body(const Analysed& job) {
  const io::JobRecord& record = job.named->record;
  std::string html = findings_list(job) + tiles(record, job.numbers, job.cost ? &*job.cost : nullptr);
  if (job.styled.empty()) {
    html += "<p class=\"reading\">No frame was styled by this start, so there is nothing to plot.</p>\n";
  } else {
    html += speed_section(record, job.styled);
    html += activity_section(record);
    html += use_section(record, job.styled);
    html += image_time_section(timed_frames(job.styled));
    html += stage_section(record, job.numbers);
    html += slowest_section(record, job.styled);
  }
  if (job.cost) html += cost_section(*job.cost);
  return html + event_section(record) + facts_section(record);
}

}  // namespace

std::string html_report(const std::vector<NamedRecord>& records, const Prices* prices) {
  std::vector<Analysed> jobs;
  for (const NamedRecord& named : records) {
    Analysed job{&named, styled_frames(named.record), {}, {}};
    job.numbers = key_numbers(named.record, job.styled);
    if (prices != nullptr) job.cost = job_cost(named.record, *prices);
    jobs.push_back(std::move(job));
  }
  std::string body;
  std::string title;
  if (jobs.size() == 1) {
    title = job_title(jobs.front().named->record);
    body = concat("<h1>", html_text(title), "</h1>\n<p class=\"sub\">", html_text(sub_title(jobs.front())),
                  "</p>\n", job_body(jobs.front()));
  } else {
    title = concat(jobs.size(), " jobs side by side");
    body = concat("<h1>", title, "</h1>\n", comparison_sections(jobs));
    for (const Analysed& job : jobs) {
      body +=
          concat("<div class=\"job\"><h1>", html_text(job_title(job.named->record)),
                 "</h1>\n<p class=\"sub\">", html_text(sub_title(job)), "</p>\n", job_body(job), "</div>\n");
    }
  }
  body += concat("<footer>Made by 'atelier report', version ", program_version(),
                 ". Times are of a wall clock and count from the job's start.</footer>\n");
  return html_page(title, body);
}

}  // namespace atelier::planning
