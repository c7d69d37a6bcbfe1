"""Signals of a terminal that goes away, of pipes that nobody reads, and of limits; a bar as wide as its terminal."""
import fcntl
import os
import pty
import re
import resource
import select
import signal
import struct
import subprocess
import termios
import time
import unittest

import resume_test
import support
from support import MPIRUN, SystemTest, atelier, clean_environment, program, test_clip


class Signals(resume_test.Resume):
    """On a job that is under way."""

    def test_hup_ends_in_order_as_term_does(self):
        code, said = self.interrupt(how=signal.SIGHUP)
        self.assertEqual(code, 75, said)
        self.assertIn("interrupted (signal HUP came). Run the same command again", said)
        self.assertEqual(resume_test.state(self.work)["status"], "interrupted")
        self.assertIn('"state": "interrupted"', self.path("out.mp4.status.json").read_text())
        self.assertIn("goes on from an earlier start", self.go_on().err)
        self.assert_whole()

    def test_two_hups_are_one(self):
        """The shell and the kernel both send one when a terminal goes away."""
        process = self.start()
        self.wait_for(lambda: len(resume_test.segments(self.work)) >= 4, process)
        for _ in range(2):
            process.send_signal(signal.SIGHUP)
            time.sleep(0.05)
        self.assertEqual(process.wait(timeout=60), 75)
        self.assertIn("signal HUP came", self.said(process))
        self.assertEqual(resume_test.state(self.work)["exit_code"], 75)

    def test_hup_to_a_rank(self):
        """Workers leave it to the root."""
        process = self.start(ranks=3)
        self.wait_for(lambda: len(resume_test.segments(self.work)) >= 3, process)
        ranks = self.ranks_of(process)
        os.kill(ranks[2], signal.SIGHUP)
        time.sleep(0.5)
        self.assertIsNone(process.poll(), self.said(process))
        os.kill(ranks[0], signal.SIGHUP)
        self.assertEqual(process.wait(timeout=60), 75, self.said(process))
        self.assertIn("signal HUP came", self.said(process))
        self.go_on(ranks=2)
        self.assert_whole()

    def test_hup_to_mpirun(self):
        """It ends the ranks as it does for TERM, and leaves them seconds."""
        process = self.start(ranks=3)
        self.wait_for(lambda: len(resume_test.segments(self.work)) >= 3, process)
        ranks = self.ranks_of(process)
        process.send_signal(signal.SIGHUP)
        self.assertNotEqual(process.wait(timeout=60), 0)
        self.wait_until_gone(ranks)
        self.assertEqual(resume_test.state(self.work)["status"], "interrupted", self.said(process))
        self.go_on(ranks=2)
        self.assert_whole()

    def test_hup_that_is_ignored_stays_ignored(self):
        """Not below mpirun, which takes HUP itself, whatever it was told."""
        process = self.in_background(["nohup", program(), "run", *self.options(self.clip, self.output)])
        self.wait_for(lambda: len(resume_test.segments(self.work)) >= 3, process)
        process.send_signal(signal.SIGHUP)
        self.assertEqual(process.wait(timeout=120), 0, self.said(process))
        self.assert_whole()

    def test_a_reader_that_goes_does_not_end_the_job(self):
        """What is said meets a closed pipe, at the root and at workers."""
        for ranks in (1, 3):
            with self.subTest(ranks=ranks):
                read, write = os.pipe()
                process = subprocess.Popen([str(part) for part in [
                    *([] if ranks == 1 else [*MPIRUN, "-n", ranks]), program(), "run", *self.options(self.clip, self.output),
                    "--progress", "json"]], stdin=subprocess.DEVNULL, stdout=write, stderr=write, env=clean_environment(),
                    start_new_session=True)
                self.addCleanup(self.end, process)
                os.close(write)
                os.read(read, 10)
                os.close(read)
                code = process.wait(timeout=120)
                if ranks == 1:  # mpirun itself may end with another
                    self.assertEqual(code, 0)
                if code != 0:
                    self.go_on()
                self.assert_whole()
                self.output.unlink()

    def test_streams_that_are_closed(self):
        """No file of the job gets the number of one, and with it the lines of the log."""
        for closed in ((2,), (1, 2), (0, 1, 2)):
            with self.subTest(closed=closed):
                process = subprocess.Popen([program(), "run", *map(str, self.options(self.clip, self.output)), "--log-dir",
                                            self.path("logs"), "--progress", "json"], env=clean_environment(),
                                           preexec_fn=lambda closed=closed: [os.close(stream) for stream in closed])
                self.assertEqual(process.wait(timeout=120), 0)
                self.assert_whole(others=["logs"])
                self.output.unlink()


def load_tests(loader, _tests, _pattern):
    suite = resume_test.own_tests(loader, Signals)
    suite.addTests(loader.loadTestsFromTestCase(Pipes))
    suite.addTests(loader.loadTestsFromTestCase(Terminal))
    return suite


class Pipes(SystemTest):
    """Results that somebody reads a part of, and streams that take none."""

    def setUp(self):
        super().setUp()
        self.record = self.path("r.h5")
        clip = test_clip(self.path("clip.mkv"), seconds=0.5, sound=False)
        self.run_done("--input", clip, "--output", self.path("out.mkv"), "--engine", "identity", "--record", self.record)

    def test_results_to_a_closed_pipe_end_quietly(self):
        """As those of other programs do: by the signal, which a shell shows as 141. Files are written nevertheless."""
        page = self.path("page.html")
        for arguments in (("report", self.record, "--html", page), ("info", self.path("out.mkv")), ("run", "--help"), ("--help",),
                          ("run", "--input", self.path("clip.mkv"), "--output", self.path("o.mkv"), "--engine", "identity",
                           "--dry-run")):
            with self.subTest(arguments=arguments[0]):
                read, write = os.pipe()
                os.close(read)
                process = subprocess.Popen([program(), *map(str, arguments)], stdout=write, stderr=subprocess.PIPE,
                                           env=clean_environment())
                os.close(write)
                _, said = process.communicate(timeout=60)
                self.assertEqual(process.returncode, -signal.SIGPIPE, said)
                self.assertEqual(said, b"")
        self.assertTrue(page.read_text().rstrip().endswith("</html>"))

    def test_results_that_a_full_disk_does_not_take(self):
        for arguments in (("report", self.record), ("info",), ("run", "--help"), ("--version",)):
            with self.subTest(arguments=arguments), open("/dev/full", "w") as full:
                process = subprocess.run([program(), *map(str, arguments)], stdout=full, stderr=subprocess.PIPE, text=True,
                                         env=clean_environment(), timeout=60)
                self.assertEqual(process.returncode, 1, process.stderr)
                self.assertIn("atelier: error: cannot write to the standard output", process.stderr)

    def test_limit_for_files(self):
        """SIGXFSZ would end the process without a word."""
        page = atelier("report", self.record, "--html", self.path("page.html"),
                       preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000)))
        self.assert_one_error(page, 1)
        self.assertIn("File too large", page.err)


class Terminal(SystemTest):
    """The bar on a terminal of a given width, which changes meanwhile."""

    def run_on_terminal(self, widths, *command, env=None):
        """What was drawn, as a list for each width; the width changes while the job runs."""
        master, slave = pty.openpty()
        self.addCleanup(os.close, master)
        self.resize(slave, widths[0])
        process = subprocess.Popen([str(part) for part in command], stdin=slave, stdout=slave, stderr=slave,
                                   env=clean_environment(env), start_new_session=True)
        self.addCleanup(support.SystemTest.end, process)
        os.close(slave)
        drawn, end = [b""], time.monotonic() + 120
        next_change = time.monotonic() + 1.5
        while time.monotonic() < end:
            if len(drawn) < len(widths) and time.monotonic() > next_change:
                self.resize(master, widths[len(drawn)])
                next_change = time.monotonic() + 1.5
                drawn.append(b"")
            if not select.select([master], [], [], 0.1)[0]:
                continue
            try:
                block = os.read(master, 65536)
            except OSError:  # the end
                break
            drawn[-1] += block
        self.assertEqual(process.wait(timeout=60), 0, drawn)
        return [part.decode(errors="replace") for part in drawn]

    @staticmethod
    def resize(terminal, columns):
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))

    def bars(self, text):
        return re.findall(r"\r([^\r\x1b\n]* %[^\r\x1b\n]*)\x1b\[K", text)

    def job(self, milliseconds):
        clip = test_clip(self.path("clip.mkv"), seconds=2, sound=False)
        return [program(), "run", "--input", clip, "--output", self.path("out.mkv"), "--engine", "simulated", "--simulated-ms",
                milliseconds, "--chunk-frames", 6, "--overwrite", "--status", "none"]

    def test_never_wraps(self):
        widths = (100, 40, 20)
        drawn = self.run_on_terminal(widths, *self.job(100), env={"LC_ALL": "C.UTF-8"})
        for number, (width, text) in enumerate(zip(widths, drawn, strict=True)):
            bars = self.bars(text)[1 if number else 0:]  # the first may have been on its way
            self.assertTrue(bars, repr(text))
            self.assertLess(max(map(len, bars)), width)
        self.assertIn("█", drawn[0])
        self.assertIn("frames/s", drawn[0])
        self.assertIn("48/48 frames", drawn[1] + self.run_on_terminal((60,), *self.job(1))[0])

    def test_ascii_without_utf8(self):
        drawn = self.run_on_terminal((100,), *self.job(1), env={"LC_ALL": "C"})[0]
        bars = self.bars(drawn)
        self.assertTrue(bars and all(bar.isascii() for bar in bars), repr(drawn))
        self.assertIn("#", bars[-1])

    def test_under_mpirun(self):
        """The rank's own terminal has no width; mpirun's has."""
        drawn = self.run_on_terminal((50,), *MPIRUN, "-n", 3, *self.job(20))[0]
        bars = self.bars(drawn)
        self.assertTrue(bars, repr(drawn))
        self.assertLess(max(map(len, bars)), 50)


if __name__ == "__main__":
    unittest.main()
