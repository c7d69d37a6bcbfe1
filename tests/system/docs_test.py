"""The pages say what the program does: links, options, kinds of messages, rooms, names of tests."""
import re
import runpy
import subprocess
import unittest

import support
from support import ROOT, atelier

PAGES = [ROOT / name for name in subprocess.run(["git", "-C", str(ROOT), "ls-files", "*.md"], stdout=subprocess.PIPE, text=True,
                                                timeout=20).stdout.split()]
README = ROOT / "README.md"


def section(page, title):
    """The text below a heading, up to the next heading of any level."""
    found = re.search(rf"(?ms)^#+ {re.escape(title)}\n(.*?)(?=^#|\Z)", page.read_text())
    return found.group(1) if found else ""


class Docs(unittest.TestCase):
    def test_links_lead_somewhere(self):
        if not PAGES:
            self.skipTest("no git checkout")
        broken = []
        for page in PAGES:
            for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text()):
                if not target.startswith(("http:", "https:")) and not (page.parent / target).exists():
                    broken.append(f"{page.relative_to(ROOT)}: {target}")
        self.assertEqual(broken, [])

    def test_readme_names_every_option_and_no_other(self):
        help_text = atelier("run", "--help").out
        options = set(re.findall(r"(?m)^  (--[a-z-]+)", help_text))
        self.assertGreater(len(options), 20)
        text = README.read_text()
        self.assertEqual(sorted(option for option in options if not re.search(rf"{option}\b", text)), [])
        table = set(re.findall(r"--[a-z][a-z-]*", section(README, "Options in short")))
        self.assertEqual(sorted(table - options - {"--help"}), [])

    def test_readme_names_every_command(self):
        commands = set(re.findall(r"(?m)^  ([a-z]+)  ", atelier("--help").out))
        self.assertIn("run", commands)
        named = set(re.findall(r"(?m)^\| `atelier ([a-z]+)", README.read_text()))
        self.assertEqual(named, commands)

    def test_readme_names_tests_that_exist(self):
        named = re.findall(r"`system\.([a-z_]+)`", README.read_text())
        self.assertGreater(len(named), 4)
        self.assertEqual([name for name in named if not (ROOT / "tests" / "system" / f"{name}.py").exists()], [])

    def test_decisions_page_has_an_index_of_its_sections(self):
        text = (ROOT / "docs" / "decisions.md").read_text()
        titles = re.findall(r"(?m)^## (.+)$", text)
        self.assertGreater(len(titles), 5)
        anchors = [re.sub(r"[^a-z0-9 -]", "", title.lower()).replace(" ", "-") for title in titles]
        self.assertEqual(re.findall(r"(?m)^\| \[(.+)\]\(#(.+)\) \| .+ \|$", text), list(zip(titles, anchors)))

    def test_protocol_page_has_every_kind(self):
        header = (ROOT / "include" / "atelier" / "pipeline" / "protocol.h").read_text()
        enum = re.search(r"enum class MessageKind[^{]*\{(.*?)\};", header, re.S).group(1)
        kinds = re.findall(r"(?m)^\s*([a-z_]+) = \d+", enum)
        self.assertGreater(len(kinds), 10)
        rows = re.findall(r"(?m)^\| `([a-z_]+)` \| (?:root|worker|who [a-z ]+) \|", (ROOT / "docs" / "protocol.md").read_text())
        self.assertEqual(sorted(rows), sorted(kinds))

    def test_architecture_page_has_the_rooms_of_check_layers(self):
        rules = runpy.run_path(str(ROOT / "scripts" / "check-layers"), run_name="rules")["MAY_INCLUDE"]
        rows = dict(re.findall(r"(?m)^\| ([a-z]+) \| ([a-z ,–]+) \|", section(ROOT / "docs" / "architecture.md", "Rooms")))
        built = {room for room in rules if (ROOT / "src" / room).is_dir()}
        self.assertEqual(set(rows) - {"room"}, built)
        for room in built:
            listed = rows[room]
            if listed.startswith("all above but "):
                above = [name for name in rows if name in built]
                said = set(above[:above.index(room)]) - {listed.removeprefix("all above but ")}
            else:
                said = set(listed.replace("–", "").replace(",", " ").split())
            self.assertEqual(said, rules[room] & built, room)


if __name__ == "__main__":
    unittest.main()
