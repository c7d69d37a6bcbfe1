#include "html.h"

#include <cstdint>

#include "atelier/base/text.h"

namespace atelier::planning {
namespace {

// Length of the UTF-8 sequence at the start of text, 0 if it is none (RFC 3629).
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::uint8_t first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || length > text.size()) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  const bool bad = (first == 0xE0 && byte(1) < 0xA0) || (first == 0xED && byte(1) > 0x9F) ||
                   (first == 0xF0 && byte(1) < 0x90) || (first == 0xF4 && byte(1) > 0x8F);
  return bad ? 0 : length;
}

// Colours of stages: Paul Tol's bright scheme (personal.sron.nl/~pault), told apart by people who see colours
// differently.
constexpr const char* style_sheet = R"(
:root { color-scheme: light dark; --paper: #fff; --ink: #1b1b1b; --faint: #666; --line: #d5d5d5; --track: #f0f0f0;
  --decode: #4477aa; --transfer: #b09a00; --convert: #3aa6c8; --style: #228833; --encode: #aa3377; --bad: #c0321f;
  --c0: #4477aa; --c1: #cc6611; --c2: #228833; --c3: #aa3377; --c4: #8a7a00; --c5: #3399bb; }
@media (prefers-color-scheme: dark) { :root { --paper: #16181b; --ink: #e6e6e6; --faint: #a0a0a0; --line: #3c4046;
  --track: #24272b; --decode: #77aadd; --transfer: #ddcc77; --convert: #66ccee; --style: #66bb77; --encode: #dd77aa;
  --bad: #ff8a75; --c0: #77aadd; --c1: #ee9955; --c2: #66bb77; --c3: #dd77aa; --c4: #ddcc77; --c5: #66ccee; } }
@media print { :root { color-scheme: light; --paper: #fff; --ink: #000; --faint: #555; --line: #ccc; --track: #f0f0f0;
  --decode: #4477aa; --transfer: #b09a00; --convert: #3aa6c8; --style: #228833; --encode: #aa3377; --bad: #c0321f;
  --c0: #4477aa; --c1: #cc6611; --c2: #228833; --c3: #aa3377; --c4: #8a7a00; --c5: #3399bb; }
  section, table, svg { break-inside: avoid; } body { max-width: none; } }
* { box-sizing: border-box; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
body { margin: 0 auto; padding: 1.5rem; max-width: 66rem; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, "Segoe UI", "DejaVu Sans", sans-serif; }
h1 { font-size: 1.45rem; margin: 0 0 .25rem; overflow-wrap: anywhere; } h2 { font-size: 1.12rem; margin: 2.2rem 0 .2rem; }
h3 { font-size: 1rem; margin: 1.2rem 0 .2rem; }
p { margin: .3rem 0; } p.reading, p.sub { color: var(--faint); font-size: .9rem; max-width: 60rem; }
ul.findings { margin: .8rem 0; padding: .7rem 1rem .7rem 2rem; background: var(--track); border-left: 4px solid var(--decode); }
ul.findings.bad { border-left-color: var(--bad); } ul.findings li:first-child { font-weight: 600; }
ul.findings li { overflow-wrap: anywhere; }
.tiles { display: flex; flex-wrap: wrap; gap: .6rem; margin: 1rem 0; }
.tile { border: 1px solid var(--line); padding: .4rem .7rem; flex: 1 1 auto; }
.tile b { display: block; font-size: 1.25rem; font-weight: 600; } .tile span { color: var(--faint); font-size: .85rem; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; font-size: .88rem; margin: .4rem 0; }
th, td { text-align: left; padding: .18rem .8rem .18rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td { overflow-wrap: anywhere; } table.facts th { font-weight: normal; color: var(--faint); white-space: nowrap; }
svg { display: block; width: 100%; height: auto; margin: .4rem 0; font: 12px system-ui, "DejaVu Sans", sans-serif; }
svg text { fill: var(--ink); paint-order: stroke; stroke: var(--paper); stroke-width: 3px; stroke-linejoin: round; } svg .t { fill: var(--faint); } svg .grid { stroke: var(--line); stroke-width: 1; }
svg .track { fill: var(--track); } svg .axis { stroke: var(--faint); stroke-width: 1; }
svg .mark { stroke: var(--bad); stroke-width: 1.5; } svg .note { stroke: var(--ink); stroke-width: 1; stroke-dasharray: 4 3; }
.decode { fill: var(--decode); } .transfer { fill: var(--transfer); } .convert { fill: var(--convert); }
.style { fill: var(--style); } .encode { fill: var(--encode); } .all { fill: var(--faint); }
.area { fill: var(--c0); fill-opacity: .75; }
.l0, .l1, .l2, .l3, .l4, .l5 { fill: none; stroke-width: 1.8; stroke-linejoin: round; }
.l0 { stroke: var(--c0); } .l1 { stroke: var(--c1); } .l2 { stroke: var(--c2); } .l3 { stroke: var(--c3); }
.l4 { stroke: var(--c4); } .l5 { stroke: var(--c5); } .dash { stroke-dasharray: 7 4; }
.legend { display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; font-size: .88rem; margin: .3rem 0; }
.legend svg { display: inline-block; width: 22px; height: 12px; margin: 0 .35rem 0 0; vertical-align: -1px; }
.small { display: grid; grid-template-columns: repeat(auto-fit, minmax(20rem, 1fr)); gap: 0 1rem; }
details { margin: .6rem 0; } summary { cursor: pointer; } .job { border-top: 3px solid var(--line); margin-top: 2.5rem; }
footer { margin-top: 2.5rem; color: var(--faint); font-size: .85rem; }
)";

std::string cell(const Cell& cell, const char* tag) {
  return concat('<', tag, cell.number ? " class=\"n\">" : ">", html_text(cell.text), "</", tag, '>');
}

}  // namespace

std::string html_text(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    const auto first = static_cast<std::uint8_t>(text.front());
    switch (text.front()) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        if (length == 0) {
          out += "\uFFFD";
        } else if (first < 0x20 || first == 0x7F) {
          out += ' ';
        } else {
          out += text.substr(0, length);
        }
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return out;
}

std::string html_table(const std::vector<Cell>& head, const std::vector<std::vector<Cell>>& rows) {
  std::string html = "<div class=\"scroll\"><table><thead><tr>";
  for (const Cell& column : head) html += cell(column, "th");
  html += "</tr></thead><tbody>\n";
  for (const std::vector<Cell>& row : rows) {
    html += "<tr>";
    for (const Cell& column : row) html += cell(column, "td");
    html += "</tr>\n";
  }
  return html + "</tbody></table></div>\n";
}

std::string html_facts(const std::vector<std::pair<std::string, std::string>>& facts) {
  std::string html = "<table class=\"facts\">\n";
  for (const auto& [name, value] : facts) {
    if (value.empty()) continue;
    html += concat("<tr><th>", html_text(name), "</th><td>", html_text(value), "</td></tr>\n");
  }
  return html + "</table>\n";
}

std::string html_section(const std::string& heading, const std::string& reading, const std::string& body) {
  return concat("<section><h2>", html_text(heading), "</h2>\n",
                reading.empty() ? "" : concat("<p class=\"reading\">", html_text(reading), "</p>\n"), body,
                "</section>\n");
}

std::string html_page(const std::string& title, const std::string& body) {
  return concat(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>",
      html_text(title), "</title>\n<style>", style_sheet, "</style>\n</head>\n<body>\n", body,
      "</body>\n</html>\n");
}

}  // namespace atelier::planning
