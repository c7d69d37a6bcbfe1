"""What ctest counts: cases that may skip are entries of their own, and tell by exit code 77 that they did."""
import subprocess
import sys
import unittest

from support import ROOT, SystemTest

RUN_ENTRY = ROOT / "tests" / "system" / "run_entry.py"
CASES = """\
import unittest

class Base(unittest.TestCase):
    def need(self, what):
        if what == "missing":
            self.skipTest("it is missing")

class Some(Base):
    def test_plain(self):
        pass
    def test_missing(self):
        self.skipTest("never")
    @unittest.skipIf(False, "")
    def test_decorated(self):
        pass
    def helped(self):
        self.test_missing()
    def test_helped(self):
        self.helped()

@unittest.skipIf(True, "all of it")
class Whole(Base):
    def test_a(self):
        self.fail()

class Fails(Base):
    def setUp(self):
        self.need("nothing")
        if False:
            self.skipTest("perhaps")
    def test_b(self):
        self.fail()
"""


class RunEntry(SystemTest):
    def run_entry(self, *arguments):
        done = subprocess.run([sys.executable, "-B", RUN_ENTRY, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True, timeout=60)
        return done.returncode, done.stdout, done.stderr

    def test_entries_and_exit_codes(self):
        path = self.path("cases_test.py")
        path.write_text(CASES)
        expected = {"all": 0, "Some.test_missing": 77, "Some.test_decorated": 0, "Some.test_helped": 77, "Whole": 77, "Fails": 1}
        code, out, err = self.run_entry("entries", path)
        self.assertEqual((code, out.splitlines()), (0, [f"{path}:{name}" for name in expected]), err)
        for name, expected_code in expected.items():
            with self.subTest(name):
                code, _, err = self.run_entry("run", path, name)
                self.assertEqual(code, expected_code, err)
                self.assertIn("Ran 1 test", err)
        code, _, err = self.run_entry("run", path, "Some.test_other")
        self.assertEqual(code, 1, "an entry without a case must not pass")


if __name__ == "__main__":
    unittest.main()
