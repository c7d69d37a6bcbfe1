"""Storage that fails while something is read of it: for a moment, which nobody notices, or for good, which ends the job with
a sentence. It is never taken for damage, for the end of the video or for another input, and the job goes on to the same bytes.

Environment: ATELIER_FAULTS=all tries every combination of container, place, number of failures, ranks and place of decoding,
and prints a line for each.
"""
import errno
import itertools
import json
import os
import shutil
import tempfile
import time
import unittest
from pathlib import Path

import resume_test
import support
from faulty_storage_test import COMPILER, fault_library
from support import STYLE, SystemTest, ffmpeg

ERRORS = (errno.EIO, errno.ESTALE, errno.ENOTCONN, errno.ETIMEDOUT, errno.EAGAIN, errno.EINTR)
CLIPS = {"index in front": ("front.mp4", ["-movflags", "+faststart"]), "index at the end": ("end.mp4", []),
         "Matroska": ("a.mkv", []), "transport stream": ("a.ts", [])}
PLACES = ("open", "header", "middle", "sound", "end")
FOR_GOOD = 10**6
TIMES = (1, 3, FOR_GOOD)
RANKS = ((1, "root"), (3, "root"), (3, "workers"))
# Each of every two values together, nearly. The error goes with the place in the list: FFmpeg repeats EAGAIN at the end of a
# transport stream without end.
CELLS = (
    ("index in front", "open", FOR_GOOD, 1, "root"), ("index at the end", "header", FOR_GOOD, 1, "root"),
    ("Matroska", "middle", FOR_GOOD, 1, "root"), ("Matroska", "end", FOR_GOOD, 3, "workers"),
    ("transport stream", "end", FOR_GOOD, 3, "root"), ("index in front", "middle", FOR_GOOD, 3, "workers"),
    ("transport stream", "middle", FOR_GOOD, 3, "workers"), ("index in front", "sound", FOR_GOOD, 1, "root"),
    ("Matroska", "sound", FOR_GOOD, 3, "root"),
    ("index in front", "middle", 1, 1, "root"), ("Matroska", "middle", 1, 1, "root"), ("Matroska", "middle", 1, 3, "workers"),
    ("transport stream", "middle", 3, 3, "root"), ("index at the end", "end", 3, 1, "root"),
    ("index in front", "header", 1, 3, "workers"), ("transport stream", "header", 1, 1, "root"), ("Matroska", "open", 3, 3, "root"),
    ("index at the end", "open", 1, 1, "root"), ("index in front", "sound", 1, 3, "root"), ("transport stream", "sound", 1, 1, "root"))
if os.environ.get("ATELIER_FAULTS") == "all":
    CELLS = tuple((*cell, *how) for *cell, how in itertools.product(CLIPS, PLACES, TIMES, RANKS))
NUM_FRAMES = 320
CHUNK_FRAMES = 16


def top_box(path, kind):
    """First byte and end of an MP4's box."""
    data, begin = path.read_bytes(), 0
    while data[begin + 4:begin + 8] != kind:
        begin += int.from_bytes(data[begin:begin + 4], "big")
    return begin, begin + int.from_bytes(data[begin:begin + 4], "big")


def bytes_at(place, clip):
    """The part of the file that fails."""
    size = clip.stat().st_size
    if place == "header":
        return (top_box(clip, b"moov")[0] + 100, size) if clip.name == "end.mp4" else (40, 200)
    if place == "end":
        end = top_box(clip, b"moov")[0] if clip.name == "end.mp4" else size
        return end - 3000, end - 2900
    return size // 2, size // 2 + 50


@unittest.skipIf(COMPILER is None, "no C compiler")
class FaultyInput(SystemTest):
    @classmethod
    def setUpClass(cls):
        cls.shared = Path(tempfile.mkdtemp(prefix="atelier-test."))
        cls.addClassCleanup(shutil.rmtree, cls.shared, ignore_errors=True)
        cls.library = fault_library(cls.shared)
        source = cls.shared / "source.mkv"
        ffmpeg("-f", "lavfi", "-i", f"testsrc2=s=320x180:r=20:d={NUM_FRAMES / 20}", "-f", "lavfi", "-i",
               f"sine=440:d={NUM_FRAMES / 20}", "-c:v", "libx264", "-preset", "ultrafast", "-g", 20, "-crf", 12,
               "-pix_fmt", "yuv420p", "-c:a", "aac", "-b:a", "128k", source)
        cls.references = {}
        for kind, (name, options) in CLIPS.items():
            ffmpeg("-i", source, "-c", "copy", *options, cls.shared / name)
            cls.references[kind] = cls.reference_of(cls.shared / name)

    @classmethod
    def reference_of(cls, clip):
        output = cls.shared / "reference.mkv"
        done = support.atelier("run", *cls.options(clip, output))
        if done.code != 0:
            raise AssertionError(done.err)
        data = output.read_bytes()
        output.unlink()
        return data

    @staticmethod
    def options(clip, output):
        return ["--input", clip, "--output", output, "--engine", "identity", "--chunk-frames", CHUNK_FRAMES,
                "--preset", "ultrafast"]

    def setUp(self):
        super().setUp()
        self.output = self.path("out.mkv")
        self.work = self.path("out.mkv.atelier")

    def faults(self, pattern, error, calls, count, after=0, where=(0, 2**62)):
        """Variables that make calls fail; how many did: self.num_failures()."""
        self.log = self.shared / "failures"
        self.log.unlink(missing_ok=True)
        return {"LD_PRELOAD": str(self.library), "FAULT_PATTERN": str(pattern), "FAULT_ERRNO": str(error), "FAULT_CALLS": calls,
                "FAULT_AFTER": str(after), "FAULT_COUNT": str(count), "FAULT_FROM": str(where[0]), "FAULT_TO": str(where[1]),
                "FAULT_FORBIDDEN": "libav", "FAULT_LOG": str(self.log)}

    def num_failures(self):
        return self.log.stat().st_size if self.log.exists() else 0

    def run_faulty(self, clip, *more, env, ranks=1):
        return support.atelier("run", *self.options(clip, self.output), *more, env=env, ranks=ranks)

    def assert_ends(self, done, error, where=None):
        """In a sentence that says what failed and where, without an output."""
        self.assert_one_error(done, 1)
        self.assertIn("cannot read '", done.err)
        self.assertIn(os.strerror(error), done.err)
        self.assertIn("un the same command again", done.err)
        self.assertNotIn("damage", done.err)
        self.assertNotIn("--no-resume", done.err)
        self.assertFalse(self.output.exists())
        if where is not None:
            self.assertIn(f"at byte {where} (", done.err)

    def assert_whole(self, done, reference):
        self.assert_done(done)
        self.assertEqual(done.warnings(), [])
        self.assertNotIn("begins anew", done.err)
        self.assertEqual(self.output.read_bytes() == reference, True)
        self.assertFalse(self.work.exists())

    def test_every_place(self):
        for number, (kind, place, times, ranks, decode) in enumerate(CELLS):
            error = ERRORS[number % len(ERRORS)]
            with self.subTest(kind=kind, place=place, times=times, ranks=ranks, decode=decode, error=os.strerror(error)):
                shutil.rmtree(self.folder)
                self.folder.mkdir()
                self.check_cell(self.shared / CLIPS[kind][0], self.references[kind], place, times, ranks, decode, error)

    def check_cell(self, clip, reference, place, times, ranks, decode, error):
        began = time.monotonic()
        # The first to read the middle is the video's reader; workers' packets are looked at before the job.
        after = 0 if place != "sound" else 1 if decode == "root" else 2
        where = bytes_at(place, clip)
        env = self.faults(f"/{clip.name}", error, "open" if place == "open" else "read", times, after, where)
        done = self.run_faulty(clip, "--decode", decode, env=env, ranks=ranks)
        num_failures = self.num_failures()
        self.assertEqual(num_failures >= 4 if times == FOR_GOOD else num_failures == times, True, num_failures)
        code, stored, said = done.code, len(resume_test.segments(self.work)), (done.errors() or [""])[0]
        if times == FOR_GOOD:
            self.assert_ends(done, error, None if place == "open" else where[0])
            if self.work.exists():
                self.assertEqual(resume_test.state(self.work)["status"], "failed")
            done = support.atelier("run", *self.options(clip, self.output), "--decode", decode, ranks=ranks)
            self.assertEqual("goes on from an earlier start" in done.err, stored > 0, done.err)
        self.assert_whole(done, reference)
        if os.environ.get("ATELIER_FAULTS") == "all":
            print(f"{clip.name}, {place}, {times}x {errno.errorcode[error]}, {ranks} ranks, {decode}: exit {code}, {stored} chunks "
                  f"stored, then {done.code}, same bytes, {time.monotonic() - began:.1f} s. {said}", flush=True)

    def test_chunks_before_the_place_are_kept(self):
        clip = self.path("silent.mkv")
        ffmpeg("-i", self.shared / "a.mkv", "-an", "-c", "copy", clip)
        reference = self.reference_of(clip)
        for ranks, decode in RANKS:
            with self.subTest(ranks=ranks, decode=decode):
                # Workers' packets are looked at before the job.
                env = self.faults("/silent.mkv", errno.EIO, "read", FOR_GOOD, int(decode == "workers"), bytes_at("end", clip))
                failed = self.run_faulty(clip, "--decode", decode, env=env, ranks=ranks)
                self.assert_ends(failed, errno.EIO)
                kept = len(resume_test.segments(self.work))
                self.assertGreaterEqual(kept, NUM_FRAMES // CHUNK_FRAMES // 2)
                done = support.atelier("run", *self.options(clip, self.output), "--decode", decode, ranks=ranks)
                self.assertIn(f"goes on from an earlier start: {kept} chunks", done.err)
                self.assert_whole(done, reference)
                self.output.unlink()

    def test_comparing_on_resume(self):
        """What an earlier start has finished is compared with the input, which fails meanwhile."""
        clip = self.shared / "front.mp4"
        for ranks, decode in RANKS:
            with self.subTest(ranks=ranks, decode=decode):
                stopped = support.atelier("run", *self.options(clip, self.output), "--max-time", 0.01, "--decode", decode,
                                          "--grace", 60)
                self.assertEqual(stopped.code, 75, stopped.err)
                env = self.faults("/front.mp4", errno.EIO, "read", FOR_GOOD, 0, bytes_at("middle", clip))
                failed = self.run_faulty(clip, "--decode", decode, env=env, ranks=ranks)
                self.assert_ends(failed, errno.EIO)
                self.assert_whole(support.atelier("run", *self.options(clip, self.output), ranks=ranks),
                                  self.references["index in front"])
                self.output.unlink()

    def test_work_directory(self):
        """Finished chunks and states that cannot be read are not taken for lost."""
        clip = self.shared / "front.mp4"
        env = self.faults("/front.mp4", errno.EIO, "read", FOR_GOOD, 0, bytes_at("end", clip))
        self.assert_ends(self.run_faulty(clip, env=env), errno.EIO)
        kept = len(resume_test.segments(self.work))
        self.assertGreater(kept, 3)
        for pattern, calls in ((".seg", "read"), ("/segments", "list"), ("/state", "read")):
            with self.subTest(pattern=pattern, calls=calls):
                failed = self.run_faulty(clip, env=self.faults(pattern, errno.ESTALE, calls, FOR_GOOD, 1 if calls != "list" else 0))
                self.assert_one_error(failed, 1)
                self.assertIn(os.strerror(errno.ESTALE), failed.err)
                self.assertEqual(len(resume_test.segments(self.work)), kept)
        done = self.run_faulty(clip, env=self.faults(".seg", errno.EIO, "read", 2, 1), ranks=2)
        self.assertIn(f"goes on from an earlier start: {kept} chunks", done.err)
        self.assert_whole(done, self.references["index in front"])

    def test_folder_of_pictures(self):
        pictures = self.shared / "pictures"
        pictures.mkdir(exist_ok=True)
        ffmpeg("-f", "lavfi", "-i", "testsrc2=s=160x90:d=2", pictures / "p%03d.png")
        reference = self.reference_of(pictures)
        for calls, pattern, times in (("read", "p020.png", 1), ("open", "p020.png", 2), ("stat", "p020.png", 1),
                                      ("list", "/pictures", 1), ("stat", "/pictures", 1), ("read", "p001.png", 1),
                                      ("read", "p020.png", FOR_GOOD), ("open", "p001.png", FOR_GOOD), ("list", "/pictures", FOR_GOOD)):
            with self.subTest(calls=calls, pattern=pattern, times=times):
                done = self.run_faulty(pictures, env=self.faults(pattern, errno.ENOTCONN, calls, times))
                self.assertGreaterEqual(self.num_failures(), min(times, 4))
                if times == FOR_GOOD:
                    self.assert_ends(done, errno.ENOTCONN)
                    done = support.atelier("run", *self.options(pictures, self.output))
                self.assert_whole(done, reference)
                self.output.unlink()

    def test_style_weights_and_settings(self):
        clip, style, settings = self.shared / "a.mkv", self.path("style.jpg"), self.path("my.cfg")
        shutil.copy(STYLE, style)
        settings.write_text("crf = 30\n")
        options = ["run", "--input", clip, "--output", self.output, "--style", style, "--config", settings, "--duration", 0.1,
                   "--preset", "ultrafast"]
        for pattern, lasting in ((style.name, "read"), ("adaptive.safetensors", "open"), (settings.name, "read")):
            for times, calls in ((2, "read"), (FOR_GOOD, lasting)):
                with self.subTest(pattern=pattern, times=times, calls=calls):
                    done = support.atelier(*options, env=self.faults(pattern, errno.ETIMEDOUT, calls, times))
                    self.assertGreaterEqual(self.num_failures(), min(times, 4))
                    if times == FOR_GOOD:
                        self.assert_ends(done, errno.ETIMEDOUT)
                    else:
                        self.assert_done(done)
                        self.output.unlink()

    def test_output_that_cannot_be_seen_is_not_written_over(self):
        self.output.write_bytes(b"somebody's")
        done = self.run_faulty(self.shared / "a.mkv", env=self.faults("/out.mkv", errno.EIO, "stat", FOR_GOOD))
        self.assert_one_error(done, 1)
        self.assertEqual(self.output.read_bytes(), b"somebody's")

    def test_input_that_is_still_being_written(self):
        """It grows, is cut, or is written over in place, while the job reads it; and what the next start makes of it."""
        whole = (self.shared / "a.mkv").read_bytes()
        half, clip = len(whole) // 2, self.path("a.mkv")

        def grow():
            with clip.open("ab") as file:
                file.write(whole[half:])

        def touch():
            os.utime(clip, (1, 1))

        def cut():
            os.truncate(clip, half)

        for change, begin in ((grow, half), (touch, len(whole)), (cut, len(whole))):
            for ranks in (1, 3) if change is grow else (1,):
                with self.subTest(change=change.__name__, ranks=ranks):
                    clip.write_bytes(whole[:begin])
                    process = self.in_background(
                        [*(support.MPIRUN + ["-n", str(ranks)] if ranks > 1 else []), support.program(), "run",
                         *self.options(clip, self.output)[:-2], "--preset", "veryslow", "--crf", 1])
                    while process.poll() is None and not resume_test.segments(self.work):
                        time.sleep(0.01)
                    change()
                    code, said = process.wait(timeout=60), self.said(process)
                    self.assertEqual((code, said.count("atelier: error: ")), (1, 1), said)
                    self.assertRegex(said, "was still being written|has become shorter|has changed since")
                    self.assertIn("un the same command again", said)
                    self.assertFalse(self.output.exists())
                    self.assertTrue(resume_test.segments(self.work))
                    clip.write_bytes(whole)
                    done = support.atelier("run", *self.options(clip, self.output))
                    self.assertIn("begins anew", done.err)
                    self.assert_done(done)
                    self.assertEqual(self.output.read_bytes() == self.references["Matroska"], True)
                    self.output.unlink()

    def test_ends_promptly_while_storage_is_waited_for(self):
        """A reader that waits for storage does not keep an interrupted job from its end."""
        clip = self.shared / "a.mkv"
        env = self.faults("/a.mkv", errno.EIO, "read", FOR_GOOD, 0, bytes_at("end", clip))
        began = time.monotonic()
        done = self.run_faulty(clip, "--max-time", 0.5, "--grace", 1, env=env)
        self.assert_one_error(done, 75)
        self.assertLess(time.monotonic() - began, 4)


if __name__ == "__main__":
    unittest.main()
