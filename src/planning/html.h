#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace atelier::planning {

/// text for HTML, in elements and in quoted attributes: markup is escaped, control characters become spaces,
/// and what is not UTF-8 becomes U+FFFD.
std::string html_text(std::string_view text);

/// A cell of a table. Numbers stand to the right.
struct Cell {
  std::string text;  ///< not escaped yet
  bool number = false;
};
/// A table in a frame that scrolls sideways where the page is too narrow.
std::string html_table(const std::vector<Cell>& head, const std::vector<std::vector<Cell>>& rows);
/// Names and values; those without value are left out.
std::string html_facts(const std::vector<std::pair<std::string, std::string>>& facts);

/// A section with its heading, and a line below it that says how to read it; body is HTML.
std::string html_section(const std::string& heading, const std::string& reading, const std::string& body);

/// A whole page that needs nothing but itself; title is text, body HTML.
std::string html_page(const std::string& title, const std::string& body);

}  // namespace atelier::planning
