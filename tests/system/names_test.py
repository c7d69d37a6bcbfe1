"""Names that a job will need are tried before it begins, and outputs that are symbolic links mean the file behind them.
Every refusal is one sentence, exit code 2, and leaves nothing; --dry-run says the same.
"""
import json
import os
import shutil
import subprocess
import unittest
from pathlib import Path

import support
from support import SystemTest, atelier, test_clip

RANKS = (1, 3)


class Names(SystemTest):
    @classmethod
    def setUpClass(cls):
        cls.shared = Path(support.tempfile.mkdtemp(prefix="atelier-test."))
        cls.addClassCleanup(shutil.rmtree, cls.shared, ignore_errors=True)
        cls.clip = test_clip(cls.shared / "clip.mkv", seconds=0.5)
        cls.reference = cls.shared / "reference.mp4"
        done = atelier("run", *cls.options(cls.reference))
        if done.code != 0:
            raise AssertionError(done.err)

    @classmethod
    def options(cls, output, *more):
        return ["--input", cls.clip, "--output", output, "--engine", "identity", *more]

    def contents(self):
        """Without folders' times: those change where a name is tried."""
        return {path: None if path.is_dir() else (path.lstat().st_size, path.lstat().st_mtime_ns)
                for path in self.folder.rglob("*")}

    def refused(self, output, *more, mentions, ranks=(1,)):
        before = self.contents()
        for how in ((), ("--dry-run",)):
            for count in ranks:
                with self.subTest(output=str(output)[-60:], more=more, how=how, ranks=count):
                    finished = atelier("run", *self.options(output, *more, *how), ranks=count, timeout_s=60)
                    self.assert_one_error(finished, 2)
                    self.assertIn(mentions, finished.errors()[0])
                    self.assertNotIn("un the same command again", finished.err)
                    self.assertTrue(self.contents() == before, "something was written or stayed")

    def painted(self, output, *more, ranks=1):
        done = self.run_done(*self.options(output, *more), ranks=ranks)
        self.assertEqual(Path(output).read_bytes() == self.reference.read_bytes(), True)
        return done

    # ---- lengths

    def test_longest_output_name(self):
        """241 bytes and the part's 14 are the 255 of a file name: that works with all that a job writes; one more does not."""
        name = "n" * 237 + ".mp4"
        self.painted(self.path(name), "--log-dir", self.path("logs"), ranks=2)
        self.assertEqual(len(list(self.path("logs").iterdir())), 2)
        self.assertEqual(json.loads(self.path(name + ".status.json").read_text())["state"], "done")
        for length in (242, 250, 255, 256, 300):
            self.refused(self.path("n" * (length - 4) + ".mp4"), mentions="Give a name of at most 241 bytes",
                         ranks=RANKS if length == 242 else (1,))

    def test_name_of_wide_characters_is_counted_in_bytes(self):
        self.refused(self.path("é" * 120 + ".mp4"), mentions="Give a name of at most 241 bytes")
        self.painted(self.path("é" * 118 + ".mp4"), "--log-dir", self.path("logs"))
        log = next(self.path("logs").iterdir()).name
        self.assertTrue(log.startswith("é" * 50 + "-"), log)

    def test_long_paths(self):
        """Files below the work directory have the longest paths."""
        folder = self.folder
        while len(str(folder)) < 3750:
            folder = folder / ("d" * 150)
        folder.mkdir(parents=True)
        room = 4095 - len(str(folder)) - 1 - len(".atelier") - 64
        self.refused(folder / ("n" * (room + 1 - 4) + ".mp4"), mentions="the paths of its files would be too long")
        self.painted(folder / ("n" * (room - 4) + ".mp4"))

    def test_other_names_that_are_too_long(self):
        long = self.path("n" * 256)
        out = self.path("out.mp4")
        self.refused(out, "--record", long, mentions="--record", ranks=RANKS)
        self.refused(out, "--status", long, mentions="--status none")
        self.refused(out, "--work-dir", long, mentions="--work-dir")
        self.refused(out, "--log-dir", long, mentions="--log-dir")
        self.refused(out, "--log-dir", self.path("new") / ("n" * 256) / "logs", mentions="--log-dir")

    # ---- what is no file, and what is missing

    def test_folders_devices_and_pipes(self):
        os.mkfifo(self.path("pipe.mp4"))
        self.path("folder.mp4").mkdir()
        out = self.path("out.mp4")
        for name, mentions in (("pipe.mp4", "is no file"), ("folder.mp4", "is a directory")):
            self.refused(self.path(name), "--overwrite", mentions=mentions)
            self.refused(out, "--record", self.path(name), mentions=mentions)
        self.refused(out, "--record", "/dev/null", mentions="is no file")
        self.refused(out, "--status", self.path("pipe.mp4"), mentions="--status")
        self.refused(out, "--status", self.path("folder.mp4"), mentions="--status")
        self.refused(out, "--work-dir", self.path("pipe.mp4"), mentions="--work-dir")
        self.refused(out, "--work-dir", self.clip, mentions="--work-dir")
        self.refused(out, "--log-dir", self.path("pipe.mp4"), mentions="--log-dir")
        os.symlink("/dev/null", self.path("null.mp4"))
        self.refused(self.path("null.mp4"), "--overwrite", mentions="is no file")

    def test_missing_folders(self):
        out = self.path("out.mp4")
        self.refused(out, "--record", self.path("no/job.h5"), mentions="its folder is missing")
        self.refused(out, "--status", self.path("no/status.json"), mentions="its folder is missing")
        self.refused(out, "--work-dir", self.path("no/work"), mentions="Make that first")
        self.painted(out, "--log-dir", self.path("made/on/the/way"))

    def test_two_that_are_the_same(self):
        out = self.path("out.mp4")
        self.refused(out, "--work-dir", out, mentions="--output and --work-dir are the same file")
        self.refused(out, "--log-dir", out, mentions="--output and --log-dir are the same file")
        self.refused(out, "--record", self.path("out.mp4.atelier"), mentions="--record and --work-dir are the same file")
        self.refused(out, "--record", self.path("out.mp4.status.json"), mentions="--record")
        os.symlink("out.mp4", self.path("link.h5"))
        self.refused(out, "--record", self.path("link.h5"), mentions="--record and --output are the same file")

    def test_output_that_cannot_be_replaced(self):
        if os.geteuid() != 0:
            self.skipTest("needs root: mounts a file, sets attributes")
        busy = self.path("busy.mp4")
        busy.touch()
        if subprocess.run(["mount", "--bind", busy, busy], capture_output=True).returncode == 0:
            self.addCleanup(subprocess.run, ["umount", busy], check=True)
            self.refused(busy, "--overwrite", mentions="mounted on it")
        fixed = self.path("fixed.mp4")
        fixed.touch()
        if subprocess.run(["chattr", "+i", fixed], capture_output=True).returncode == 0:
            self.addCleanup(subprocess.run, ["chattr", "-i", fixed], check=True)
            self.refused(fixed, "--overwrite", mentions="attributes forbid")

    def test_preview_in_the_folder_of_pictures(self):
        self.path("pictures").mkdir()
        support.ffmpeg("-i", self.clip, "-frames:v", "3", self.path("pictures/f%d.png"))
        before = self.contents()
        refused = atelier("run", "--input", self.path("pictures"), "--output", self.path("pictures/f2.png"), "--engine",
                          "identity", "--preview", "0", "--overwrite")
        self.assert_one_error(refused, 2)
        self.assertIn("may be one of its pictures", refused.err)
        self.assertEqual(self.contents(), before)

    # ---- links

    def test_link_means_the_file_behind_it(self):
        """Chains, relative ones and into other folders, to a file that is there, and to one that is not yet."""
        self.path("store").mkdir()
        self.path("links").mkdir()
        os.symlink("../store/real.mp4", self.path("links/second"))
        os.symlink("links/second", self.path("out.mp4"))
        real = self.path("store/real.mp4")
        for ranks in (1, 3):
            self.painted(self.path("out.mp4"), ranks=ranks)
            self.assertFalse(real.is_symlink())
            self.assertTrue(self.path("out.mp4").is_symlink() and self.path("links/second").is_symlink())
            self.assertEqual(sorted(path.name for path in self.path("store").iterdir()),
                             ["real.mp4", "real.mp4.status.json"])
            real.unlink()
        real.write_text("precious")
        self.refused(self.path("out.mp4"), mentions="--overwrite")
        self.painted(self.path("out.mp4"), "--overwrite")
        followed = atelier("report", "--follow", self.path("out.mp4"), "--progress", "none")
        self.assertEqual(followed.code, 0, followed.err)

    def test_ending_of_the_link_chooses_the_container(self):
        os.symlink("SHA256-12345", self.path("out.mp4"))
        self.painted(self.path("out.mp4"))
        self.assertTrue(self.path("out.mp4").is_symlink())

    def test_links_to_nowhere(self):
        for name, target in (("loop.mp4", "back.mp4"), ("back.mp4", "loop.mp4"), ("self.mp4", "self.mp4"),
                             ("lost.mp4", "no/such/folder/out.mp4"), ("folder.mp4", ".")):
            os.symlink(target, self.path(name))
        self.refused(self.path("loop.mp4"), mentions="lead in a circle", ranks=RANKS)
        self.refused(self.path("self.mp4"), "--overwrite", mentions="lead in a circle")
        self.refused(self.path("lost.mp4"), mentions="no/such/folder/out.mp4")
        self.refused(self.path("folder.mp4"), mentions="is a directory")
        self.refused(self.path("out.mp4"), "--record", self.path("loop.mp4"), mentions="lead in a circle")

    def test_input_behind_links(self):
        shutil.copy(self.clip, self.path("in.mkv"))
        os.symlink("in.mkv", self.path("a.mkv"))
        os.symlink("a.mkv", self.path("b.mkv"))
        os.link(self.path("in.mkv"), self.path("hard.mkv"))
        before = self.contents()
        for source, output in (("in.mkv", "b.mkv"), ("b.mkv", "in.mkv"), ("a.mkv", "hard.mkv"), ("b.mkv", "a.mkv")):
            finished = atelier("run", "--input", self.path(source), "--output", self.path(output), "--engine", "identity",
                               "--overwrite")
            self.assert_one_error(finished, 2)
            self.assertIn("--output and --input are the same file", finished.err)
        self.assertEqual(self.contents(), before)

    def test_interrupted_through_the_link_goes_on_by_the_real_name(self):
        self.path("store").mkdir()
        os.symlink(self.path("store"), self.path("way"))
        os.symlink("store/real.mp4", self.path("out.mp4"))
        stopped = atelier("run", *self.options(self.path("out.mp4"), "--max-time", "0.000001", "--grace", 0))
        self.assertEqual(stopped.code, 75, stopped.err)
        limit = ["--chunk-frames", 3, "--engine", "simulated", "--simulated-ms", 100]
        first = ["--input", self.clip, *limit]
        stopped = atelier("run", *first, "--output", self.path("out.mp4"), "--max-time", 0.7)
        self.assertEqual(stopped.code, 75, stopped.err)
        self.assertTrue(self.path("store/real.mp4.atelier").is_dir())
        done = self.run_done(*first, "--output", self.path("way/real.mp4"))
        self.assertIn("goes on from an earlier start", done.err)
        self.assertTrue(self.path("out.mp4").is_symlink())


if __name__ == "__main__":
    unittest.main()
