"""Everything that a job writes may lie on a mounted object store; and stores that fill, fail or go.

Environment: ATELIER_STORE=all runs all tests of resume_test.py on the mount, and not only some.
"""
import os
import shutil
import signal
import time
import unittest
from pathlib import Path

import object_store
import resume_test
import support
from object_store import ObjectStore

NO_STORE = object_store.why_not()
# Enough to see each kind of access; the others differ in what they write, not how.
SOME = ("test_goes_on_after_signals", "test_any_number_of_ranks_goes_on", "test_bad_segments_are_passed_over",
        "test_bad_state_is_passed_over", "test_keep_work", "test_killed_worker_ends_the_job_in_seconds",
        "test_leftover_of_a_killed_start_goes", "test_second_job_is_refused")


@unittest.skipIf(NO_STORE, NO_STORE)
class ResumeOnStore(resume_test.Resume):
    """OUT and work directory on the mount."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.store = ObjectStore(cls.shared / "store")
        cls.addClassCleanup(cls.store.close)
        cls.parent = cls.store.path


@unittest.skipIf(NO_STORE, NO_STORE)
class OnStore(resume_test.Resume):
    """All files of a job on the mount, in a store that renames by copying."""
    backend = "memory"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.store = ObjectStore(cls.shared / "store", backend=cls.backend)
        cls.addClassCleanup(cls.store.close)
        cls.parent = cls.store.path
        cls.clip = Path(shutil.copy(cls.clip, cls.store.path / "clip.mp4"))

    def everything(self):
        logs = self.path("logs")
        logs.mkdir(exist_ok=True)
        return ["--record", self.path("r.h5"), "--log-dir", logs, "--work-dir", self.path("work")]

    def assert_status(self, status):
        """The mount may show for some seconds what the file was before."""
        end = time.monotonic() + 10
        while resume_test.state(self.work)["status"] != status and time.monotonic() < end:
            time.sleep(0.2)
        self.assertEqual(resume_test.state(self.work)["status"], status)

    def assert_logs(self, ranks, last):
        """Whole files, one a rank; last: what the root's ends with."""
        files = sorted(self.path("logs").iterdir(), key=lambda path: path.stat().st_mtime)[-ranks:]
        self.assertEqual({path.name.rsplit("-", 1)[1] for path in files}, {f"rank{rank}.log" for rank in range(ranks)})
        for path in files:
            lines = path.read_text().splitlines()
            self.assertTrue(lines and all(" rank " in line for line in lines), path)
            if path.name.endswith("rank0.log"):
                self.assertIn(last, lines[-1])
            if last == "frames in":  # a rank that is ended loses what it has written in the last second
                self.assertTrue(any("frame " in line for line in lines), path)

    def test_whole_job(self):
        for ranks in (1, 3):
            with self.subTest(ranks=ranks):
                done = self.go_on(*self.everything(), "--overwrite", ranks=ranks)
                self.assertEqual(done.warnings(), [])
                self.assertEqual(self.output.read_bytes() == self.reference, True)
                self.assert_logs(ranks, "frames in")
                report = support.atelier("report", self.path("r.h5"), "--csv", self.path("frames.csv"))
                self.assert_done(report)
                self.assertEqual(len(self.path("frames.csv").read_text().splitlines()), resume_test.NUM_FRAMES + 1)
                self.assertEqual(sorted(path.name for path in self.folder.iterdir()),
                                 ["frames.csv", "logs", "out.mp4", "out.mp4.status.json", "r.h5"])
                self.output.unlink()

    def test_interrupted_and_killed(self):
        self.work = self.path("work")
        for ranks, how in ((3, signal.SIGUSR1), (3, signal.SIGKILL), (1, signal.SIGTERM)):
            code, said = self.interrupt(*self.everything(), ranks=ranks, chunks=3, how=how)
            if how != signal.SIGKILL:
                self.assertEqual(code, 75, said)
                self.assert_status("interrupted")
                self.assert_logs(ranks, "interrupted")
                self.assert_done(support.atelier("report", self.path("r.h5")))
            self.go_on(*self.everything(), ranks=3)
            self.assertEqual(self.output.read_bytes() == self.reference, True)
            self.assertFalse(self.work.exists())
            self.output.unlink()

    def test_nothing_breaks_the_rules(self):
        """What rclone says of a write that a store cannot take."""
        self.go_on(*self.everything(), ranks=2)
        for sign in ("ESPIPE", "illegal seek", "WriteAt", "O_APPEND", "not supported", "truncate"):
            self.assertNotIn(sign.lower(), self.store.said().lower())


@unittest.skipIf(object_store.why_no_s3(), object_store.why_no_s3())
class OnS3(OnStore):
    backend = "s3"


@unittest.skipIf(NO_STORE, NO_STORE)
class StoreGoes(resume_test.Resume):
    """The mount dies midway, and comes back."""

    def setUp(self):
        super().setUp()
        self.store = ObjectStore(self.path("store"))
        self.addCleanup(lambda: self.store.close())
        self.output = self.store.path / "out.mp4"
        self.work = self.store.path / "out.mp4.atelier"

    def test_mount_dies_midway(self):
        process = self.start(ranks=3)
        self.wait_for(lambda: len(resume_test.segments(self.work)) >= 4, process)
        self.store.kill()
        self.assertEqual(process.wait(timeout=60), 1)
        errors = [line for line in self.said(process).splitlines() if line.startswith("atelier: error:")]
        self.assertEqual(len(errors), 1, errors)
        self.assertRegex(errors[0], r"cannot write '.*'.*Run the same command again")
        self.store.close()
        self.store = ObjectStore(self.path("store"))
        self.assertIn("goes on from an earlier start", self.go_on(ranks=3).err)
        self.assertEqual(self.output.read_bytes() == self.reference, True)
        self.assertFalse(self.work.exists())


@unittest.skipIf(os.geteuid() != 0, "only root can mount a small disk")
class DiskFull(resume_test.Resume):
    """A small disk for the work directory, or for the output alone."""

    def setUp(self):
        super().setUp()
        self.disk = self.path("disk")
        self.disk.mkdir()

    def mount(self, size_bytes):
        support.tool("mount", "-t", "tmpfs", "-o", f"size={size_bytes}", "tmpfs", self.disk)
        self.addCleanup(support.tool, "umount", "-l", self.disk)

    def test_work_directory_is_full(self):
        self.mount(500_000)
        self.work = self.disk / "work"
        for ranks in (1, 3):
            full = support.atelier("run", *self.options(self.clip, self.output), "--work-dir", self.work, ranks=ranks)
            self.assert_one_error(full, 1)
            self.assertIn("No space left on device", full.err)
            self.assertIn("Run the same command again", full.err)
            self.assertFalse(self.output.exists())
            self.assertGreater(len(resume_test.segments(self.work)), 2)
        support.tool("mount", "-o", "remount,size=50000000", self.disk)
        done = self.go_on("--work-dir", self.work, ranks=3)
        self.assertIn("goes on from an earlier start", done.err)
        self.assertEqual(self.output.read_bytes() == self.reference, True)
        self.assertEqual(list(self.disk.iterdir()), [])

    def test_output_does_not_fit(self):
        self.mount(len(self.reference) // 2)
        self.output = self.disk / "out.mp4"
        full = support.atelier("run", *self.options(self.clip, self.output), "--work-dir", self.path("work"), ranks=2)
        self.assertIn(full.code, (1, 2), full.err)
        self.assertEqual(len(full.errors()), 1, full.err)
        self.assertLessEqual({path.name for path in self.disk.iterdir()}, {"out.mp4.status.json"})
        support.tool("mount", "-o", "remount,size=50000000", self.disk)
        self.go_on("--work-dir", self.path("work"), ranks=2)
        self.assertEqual(self.output.read_bytes() == self.reference, True)


def load_tests(loader, _tests, _pattern):
    """Of resume_test's only some, unless all are asked for."""
    suite = unittest.TestSuite()
    names = loader.getTestCaseNames(resume_test.Resume) if os.environ.get("ATELIER_STORE") == "all" else SOME
    suite.addTests(ResumeOnStore(name) for name in names)
    for case in (OnStore, OnS3, StoreGoes, DiskFull):
        suite.addTests(resume_test.own_tests(loader, case))
    return suite


if __name__ == "__main__":
    unittest.main()
