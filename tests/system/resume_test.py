"""An interrupted job goes on where it stopped, and its output is that of a job that was never interrupted.

Environment: ATELIER_KILLS, how many kills the random test makes (10 if not given).
"""
import itertools
import json
import os
import random
import re
import shutil
import signal
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

import h5py

import support
from support import MPIRUN, STYLE, SystemTest, clean_environment, program, test_clip

NUM_KILLS = int(os.environ.get("ATELIER_KILLS", "10"))
NUM_FRAMES = 160
CHUNK_FRAMES = 8
NUM_CHUNKS = NUM_FRAMES // CHUNK_FRAMES


def in_flight(ranks):
    """Chunks that a start may have styled and not yet stored: all credits of its workers, and what the root encodes."""
    workers, cores = max(1, ranks - 1), len(os.sched_getaffinity(0))

    def lanes(cores_for_each):
        return min(8, max(1, cores // workers // cores_for_each))

    if workers == 1:  # the root encodes so many chunks at a time, and 16 frames wait for it
        return max(2, lanes(4) + 1) + lanes(2) + 16 // CHUNK_FRAMES
    return workers * max(2, lanes(2) + 1, lanes(4) + 1)


def styled_chunks(log_folder):
    """How many chunks all starts have styled, by what each rank wrote in its log as it had."""
    return sum(len(re.findall(r" chunk \d+ styled$", log.read_text(), re.MULTILINE)) for log in log_folder.glob("*.log"))


def segments(work):
    return sorted(path.name for path in (work / "segments").glob("*.seg")) if work.exists() else []


def chunk_of(segment_name):
    return int(segment_name.split("-")[0])


def state(work):
    return json.loads((work / "state.json").read_text())


def chunk_rows(record):
    with h5py.File(record) as file:
        return file["chunks"][:]


class Resume(SystemTest):
    @classmethod
    def setUpClass(cls):
        cls.shared = Path(tempfile.mkdtemp(prefix="atelier-test."))
        cls.addClassCleanup(shutil.rmtree, cls.shared, ignore_errors=True)
        cls.clip = test_clip(cls.shared / "clip.mp4", seconds=NUM_FRAMES / 20, size="320x180", rate=20)
        reference = cls.shared / "reference.mp4"
        done = support.atelier("run", *cls.options(cls.clip, reference))
        if done.code != 0:
            raise AssertionError(done.err)
        cls.reference = reference.read_bytes()

    @staticmethod
    def options(clip, output):
        return ["--input", clip, "--output", output, "--style", STYLE, "--chunk-frames", CHUNK_FRAMES]

    def setUp(self):
        super().setUp()
        self.output = self.path("out.mp4")
        self.work = self.path("out.mp4.atelier")

    def start(self, *more, ranks=1, clip=None):
        """The job in the background, in a process group of its own."""
        command = ([] if ranks == 1 else [*MPIRUN, "-n", ranks]) + \
            [program(), "run", *self.options(clip or self.clip, self.output), *more]
        return self.in_background(command)

    def wait_for(self, condition, process, timeout_s=90):
        end = time.monotonic() + timeout_s
        while not condition():
            self.assertIsNone(process.poll(), f"ended with {process.returncode}:\n{self.said(process)}")
            self.assertLess(time.monotonic(), end, "took too long")
            time.sleep(0.02)

    def interrupt(self, *more, ranks=1, chunks=4, how=signal.SIGKILL, clip=None):
        """Starts the job and ends it when some chunks are stored; gives its exit code and what it said."""
        process = self.start(*more, ranks=ranks, clip=clip)
        self.wait_for(lambda: len(segments(self.work)) >= chunks, process)
        alive = self.ranks_of(process)
        if how == signal.SIGKILL:
            os.killpg(process.pid, how)
        else:
            process.send_signal(how)
        code = process.wait(timeout=60)
        self.wait_until_gone(alive)
        self.assertFalse(self.output.exists())
        return code, self.said(process)

    def go_on(self, *more, ranks=1, **other):
        return self.run_done(*self.options(self.clip, self.output), *more, ranks=ranks, **other)

    def assert_whole(self, others=()):
        """The reference's bytes, and nothing else left but what is named."""
        self.assertEqual(self.output.read_bytes() == self.reference, True)
        self.assertEqual(sorted(path.name for path in self.folder.iterdir()), sorted(["out.mp4", support.status_name("out.mp4"), *others]))

    def test_goes_on_after_signals(self):
        for how in (signal.SIGUSR1, signal.SIGINT, signal.SIGTERM):
            with self.subTest(how):
                code, said = self.interrupt(how=how)
                self.assertEqual(code, 75, said)
                self.assertIn("Run the same command again", said)
                found = state(self.work)
                self.assertEqual((found["status"], found["exit_code"]), ("interrupted", 75))
                self.assertEqual(found["chunks_done"], len(segments(self.work)))
                done = self.go_on("--record", self.path("r.h5"))
                self.assertIn(f"goes on from an earlier start: {found['chunks_done']} chunks", done.err)
                rows = chunk_rows(self.path("r.h5"))
                self.assertEqual(len(rows), NUM_CHUNKS)
                self.assertEqual(sum(rows["num_tries"] == 0), found["chunks_done"])
                self.assert_whole(others=["r.h5"])
                self.output.unlink()

    def test_second_signal_ends_it_at_once(self):
        process = self.start("--grace", 60)
        self.wait_for(lambda: segments(self.work), process)
        process.send_signal(signal.SIGUSR1)
        self.wait_for(lambda: "finishes what is under way" in self.said(process), process)
        process.send_signal(signal.SIGUSR1)
        self.assertEqual(process.wait(timeout=10), 75)
        self.assertEqual(state(self.work)["status"], "interrupted")

    def test_no_grace(self):
        code, said = self.interrupt("--grace", 0, how=signal.SIGUSR1)
        self.assertEqual(code, 75, said)
        self.assertNotIn("under way", said)

    def test_max_time(self):
        limited = support.atelier("run", *self.options(self.clip, self.output), "--max-time", 0.5)
        self.assert_one_error(limited, 75)
        self.assertIn("--max-time", limited.err)
        self.assertLess(len(segments(self.work)), NUM_CHUNKS)
        self.go_on()
        self.assert_whole()

    def test_error_line_comes_before_the_notice_of_mpirun(self):
        """Open MPI 5 ends its notice with a NUL, which would be part of a line that comes later."""
        for _ in range(3):
            limited = support.atelier("run", *self.options(self.clip, self.output), "--max-time", 0.1, "--grace", 0,
                                      "--no-resume", ranks=2)
            self.assert_one_error(limited, 75)
            self.assertNotIn("MPI_ABORT", limited.err.partition(limited.errors()[0])[0])

    def test_goes_on_wherever_it_decodes(self):
        """From chunks that were decoded at either place. What was not decoded yet is decoded where it is wished."""
        for first, then in itertools.product(("root", "workers"), repeat=2):
            with self.subTest(first=first, then=then):
                self.interrupt("--decode", first)
                done = self.go_on("--decode", then, "--record", self.path("r.h5"), ranks=2)
                self.assertIn("goes on from an earlier start", done.err)
                rows = chunk_rows(self.path("r.h5"))
                self.assertGreaterEqual(sum(rows["num_tries"] == 0), 4)
                with h5py.File(self.path("r.h5")) as record:
                    decoded = int(record["job"].attrs.get("decode.frames_used_of_workers", 0))
                if first == "root" and then == "workers":  # which is compared with frames
                    self.assertIn("decoding happens at the root", done.err)
                # A chunk that lies there already is not decoded again.
                num_new = CHUNK_FRAMES * int(sum(rows["num_tries"] > 0))
                self.assertEqual(decoded, num_new if first == then == "workers" else 0)
                self.assert_whole(others=["r.h5"])
                self.output.unlink()

    def test_any_number_of_ranks_goes_on(self):
        self.interrupt(ranks=3, chunks=3)
        self.interrupt(ranks=1, chunks=7)
        self.interrupt("--encode", "root", ranks=2, chunks=11)
        self.go_on(ranks=5)
        self.assert_whole()

    def test_killed_worker_ends_the_job_in_seconds(self):
        process = self.start(ranks=3)
        self.wait_for(lambda: len(segments(self.work)) >= 3, process)
        os.kill(self.ranks_of(process)[2], signal.SIGKILL)
        self.assertNotEqual(process.wait(timeout=15), 0)
        said = self.said(process)
        self.assertEqual(said.count("atelier: error:"), 1, said)
        self.assertRegex(said, r"atelier: error: rank 2 on \S+ is gone \(its process has ended\)\. Run the same command again")
        found = state(self.work)
        self.assertEqual((found["status"], found["exit_code"]), ("failed", 1))
        self.assertIn(found["message"], said)
        self.go_on(ranks=2)
        self.assert_whole()

    @staticmethod
    def ranks_of(process):
        """Process ids, the root's first; one without mpirun."""
        found = subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, text=True, check=False).stdout
        return sorted(int(pid) for pid in found.split()) or [process.pid]

    def test_other_settings_begin_anew(self):
        self.interrupt()
        done = self.go_on("--crf", 30)
        self.assertIn("begins anew: ", done.err)
        self.assertIn("crf", done.err)
        self.assertNotIn("goes on", done.err)
        self.assertEqual(sorted(path.name for path in self.folder.iterdir()),
                         ["out.mp4", support.status_name("out.mp4")])
        self.assertEqual(self.output.read_bytes() == self.reference, False)

    def test_earlier_settings_are_found_again(self):
        self.interrupt()
        before = len(segments(self.work))
        self.interrupt("--crf", 30, chunks=before + 3)
        done = self.go_on()
        self.assertIn("goes on from an earlier start", done.err)
        self.assertIn("of other settings", done.err)
        self.assert_whole()

    def test_no_resume(self):
        self.interrupt()
        done = self.go_on("--no-resume")
        self.assertIn("begins anew (--no-resume)", done.err)
        self.assert_whole()

    def test_keep_work(self):
        self.go_on("--keep-work", "--work-dir", self.path("kept"))
        self.assertEqual(state(self.path("kept"))["status"], "done")
        self.assertEqual(len(segments(self.path("kept"))), NUM_CHUNKS)
        self.output.unlink()
        again = self.go_on("--work-dir", self.path("kept"), "--record", self.path("r.h5"))
        self.assertIn(f"{NUM_CHUNKS} chunks ({NUM_FRAMES} frames)", again.err)
        self.assertEqual(sum(chunk_rows(self.path("r.h5"))["num_tries"]), 0)
        self.assert_whole(others=["r.h5"])

    def test_bad_segments_are_passed_over(self):
        self.interrupt(chunks=9)
        found = [self.work / "segments" / name for name in segments(self.work)][:7]
        data = [path.read_bytes() for path in found]
        found[0].write_bytes(data[0][:-5])                                  # cut
        found[1].write_bytes(data[1][:900] + bytes([data[1][900] ^ 1]) + data[1][901:])  # a flipped bit
        found[2].write_bytes(data[3])                                       # swapped
        found[3].write_bytes(data[2])
        found[4].unlink()                                                   # missing
        (found[5].parent / found[5].name.replace(".seg", ".2.seg")).write_bytes(data[5])  # twice
        (found[5].parent / "note.txt").write_text("a stranger")
        found[6].write_bytes(b"")                                           # empty
        done = self.go_on(ranks=2)
        self.assertIn("passed over", done.err)
        self.assertEqual(self.output.read_bytes() == self.reference, True)
        self.assertEqual([str(path.relative_to(self.work)) for path in sorted(self.work.rglob("*")) if path.is_file()],
                         ["about.txt", "segments/note.txt"])

    def test_bad_state_is_passed_over(self):
        self.interrupt()
        for path in self.work.glob("state*.json"):
            path.write_text(path.read_text().replace("running", "done", 1))
        done = self.go_on()
        self.assertIn("passed over state", done.err)
        self.assertIn("goes on", done.err)
        self.assert_whole()

    def test_states_that_are_cut_or_flipped(self):
        """The segments alone decide; all other states are said to be passed over."""
        self.interrupt()
        newest = max(self.work.glob("state-*.json"))
        data = newest.read_bytes()
        start = json.loads(data)["start_id"]
        flipped = bytearray(data)
        flipped[len(data) // 2] ^= 1
        for number, content in enumerate((data[:-9], bytes(flipped), data[:200] + data, b"", b"\0" * 50), 90):
            (self.work / f"state-{start}-{number:08d}.json").write_bytes(content)
        for path in (newest, self.work / "state.json"):
            path.unlink()
        names = {path.name for path in self.work.glob("state-*.json")}
        self.assertEqual(len(names), 5)
        done = self.go_on(ranks=3)
        for name in names:
            self.assertIn(f"passed over {name}", done.err)
        self.assertIn("goes on", done.err)
        self.assert_whole()

    def test_state_and_segments_of_another_job(self):
        """A work directory that another video was made in, with --work-dir: nothing of it is taken."""
        other = test_clip(self.shared / "other.mp4", seconds=NUM_FRAMES / 20, size="320x180", rate=20, codec=("mpeg4",))
        work = self.path("work")
        self.work, self.output = work, self.path("other-out.mp4")
        self.interrupt("--work-dir", work, clip=other)
        self.output = self.path("out.mp4")
        done = self.go_on("--work-dir", work, ranks=2)
        self.assertIn("begins anew", done.err)
        self.assertIn("of other settings", done.err)
        self.assertEqual(self.output.read_bytes() == self.reference, True)

    def test_output_of_another_job_is_not_taken_for_unfinished(self):
        self.interrupt()
        stranger = self.path("stranger.mp4")
        stranger.write_bytes(b"somebody's")
        refused = support.atelier("run", *self.options(self.clip, stranger), "--work-dir", self.work)
        self.assert_one_error(refused, 2)
        self.assertEqual(stranger.read_bytes(), b"somebody's")
        self.go_on()

    @unittest.skipUnless(shutil.which("faketime"), "faketime is missing (scripts/setup --tests installs it)")
    def test_clock_that_is_set_back(self):
        """By years between two starts, and again: no time decides anything."""
        for when, chunks in (("2031-01-01 12:00:00", 4), ("2019-06-01 12:00:00", 8)):
            command = [shutil.which("faketime"), "-f", f"@{when}", program(), "run", *self.options(self.clip, self.output)]
            with tempfile.TemporaryFile("w+") as log:
                process = subprocess.Popen([str(part) for part in command], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                           env=clean_environment({"NO_FAKE_STAT": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}),
                                           start_new_session=True)
                process.log = log
                self.addCleanup(self.end, process)
                self.wait_for(lambda: len(segments(self.work)) >= chunks, process)
                self.assertEqual(state(self.work)["started"][:4], when[:4])
                os.killpg(process.pid, signal.SIGKILL)
                process.wait(timeout=60)
        sequence = state(self.work)["sequence"]
        self.assertGreater(sequence, 1, "the earlier start of a later year counts")
        done = self.go_on(ranks=2)
        self.assertIn("goes on from an earlier start", done.err)
        self.assert_whole()

    @unittest.skipIf(os.geteuid() != 0, "only root can make a folder read-only for root")
    def test_work_directory_that_becomes_read_only(self):
        """Before the start, and midway."""
        disk = self.path("disk")
        disk.mkdir()
        support.tool("mount", "-t", "tmpfs", "tmpfs", disk)
        self.addCleanup(support.tool, "umount", "-l", disk)
        self.work = disk / "work"
        process = self.start("--work-dir", self.work, ranks=2)
        self.wait_for(lambda: len(segments(self.work)) >= 3, process)
        while subprocess.run(["mount", "-o", "remount,ro", disk], check=False, capture_output=True).returncode != 0:
            time.sleep(0.01)  # a file is open for writing
        self.assertEqual(process.wait(timeout=60), 1, self.said(process))
        errors = [line for line in self.said(process).splitlines() if line.startswith("atelier: error:")]
        self.assertEqual(len(errors), 1, self.said(process))
        self.assertIn("Read-only file system", errors[0])
        self.assertIn("--work-dir", errors[0])
        refused = support.atelier("run", *self.options(self.clip, self.output), "--work-dir", self.work, ranks=2)
        self.assertIn(refused.code, (1, 2))
        self.assertEqual(len(refused.errors()), 1, refused.err)
        self.assertIn("Read-only file system", refused.err)
        support.tool("mount", "-o", "remount,rw", disk)
        self.assertIn("goes on", self.go_on("--work-dir", self.work).err)
        self.assertEqual(self.output.read_bytes() == self.reference, True)

    def test_stopped_worker_is_lost(self):
        """As one on a machine that stands still: it is named, and everything ends."""
        process = self.start("--rank-timeout", 4, ranks=3)
        self.wait_for(lambda: len(segments(self.work)) >= 3, process)
        ranks = self.ranks_of(process)
        os.kill(ranks[2], signal.SIGSTOP)
        self.assertNotEqual(process.wait(timeout=30), 0)
        said = self.said(process)
        self.assertRegex(said, r"atelier: error: rank 2 on \S+ is gone \(nothing was heard for \d s\)")
        found = state(self.work)
        self.assertEqual((found["status"], found["exit_code"]), ("failed", 1))
        self.wait_until_gone(ranks)
        self.go_on(ranks=2)
        self.assert_whole()

    def test_stopped_root_ends_the_workers(self):
        process = self.start("--rank-timeout", 4, ranks=3)
        self.wait_for(lambda: len(segments(self.work)) >= 3, process)
        ranks = self.ranks_of(process)
        time.sleep(1)  # a ping has told them how long they may wait
        os.kill(ranks[0], signal.SIGSTOP)
        self.assertNotEqual(process.wait(timeout=30), 0)
        self.assertRegex(self.said(process), r"rank [12] on \S+: the root is gone \(nothing was heard from it for 4 s\)")
        self.wait_until_gone(ranks)
        self.go_on(ranks=2)
        self.assert_whole()

    def test_output_that_is_no_whole_one(self):
        """Under the final name lies what the job has not written."""
        self.go_on("--keep-work")
        refused = support.atelier("run", *self.options(self.clip, self.output))
        self.assert_one_error(refused, 2)
        shutil.rmtree(self.work)
        self.output.unlink()
        self.interrupt()
        self.output.write_bytes(b"a half")
        self.go_on()
        self.assert_whole()

    def test_names_that_are_not_utf8(self):
        """Of the output, and with it of the work directory and the logs."""
        self.output = self.path(os.fsdecode(b"o\xfft.mp4"))
        self.work = self.path(os.fsdecode(b"o\xfft.mp4.atelier"))
        logs = self.path(os.fsdecode(b"l\xffgs"))
        self.interrupt("--log-dir", logs, ranks=2)
        self.output.write_bytes(b"a half")
        done = self.go_on("--log-dir", logs, ranks=2)
        self.assertIn("goes on from an earlier start", done.err)
        self.assertEqual(self.output.read_bytes() == self.reference, True)
        self.assertFalse(self.work.exists())
        self.assertEqual(len(list(logs.iterdir())), 4)

    def test_leftover_of_a_killed_start_goes(self):
        self.interrupt()
        left = self.path(f"out.mp4.{state(self.work)['start_id']}.part")
        left.write_bytes(b"a half")
        self.go_on()
        self.assert_whole()

    def test_second_job_is_refused(self):
        process = self.start("--height", 540, ranks=2)  # takes its time
        self.wait_for(lambda: segments(self.work), process)
        began = time.monotonic()
        second = support.atelier("run", *self.options(self.clip, self.output), "--overwrite")
        self.assertLess(time.monotonic() - began, 15)
        self.assert_one_error(second, 2)
        self.assertRegex(second.err, r"another job is at work in .* \(process \d+ on ")
        self.assertIsNone(process.poll(), "the first goes on")

    def test_second_job_that_sees_the_first_ones_end(self):
        """It is refused, or finds all done, but writes nothing."""
        process = self.start()
        self.wait_for(lambda: len(segments(self.work)) >= NUM_CHUNKS - 4, process)
        second = support.atelier("run", *self.options(self.clip, self.output))
        self.assertEqual(process.wait(timeout=60), 0, self.said(process))
        if second.code == 0:
            self.assertIn("was finished by an earlier start", second.err)
        else:
            self.assert_one_error(second, 2)
        self.assert_whole()

    def test_work_directory_that_goes_at_the_other_ones_end(self):
        """The first job finishes while the second watches it: what that has renamed and removed is made here by hand."""
        first = self.start()
        self.wait_for(lambda: segments(self.work), first)
        first.send_signal(signal.SIGSTOP)
        second = self.start()
        self.wait_for(lambda: "another start may be at work" in self.said(second), second)
        self.output.write_bytes(b"whole")
        shutil.rmtree(self.work)
        self.assertEqual(second.wait(timeout=60), 2, self.said(second))
        self.assertIn(f"output '{self.output}' exists", self.said(second))
        self.assertEqual(self.output.read_bytes(), b"whole")

    def test_input_with_another_time_begins_anew(self):
        clip = self.path("clip.mp4")
        shutil.copy2(self.clip, clip)
        self.interrupt(clip=clip)
        os.utime(clip, (1, 1))
        done = self.run_done(*self.options(clip, self.output))
        self.assertIn("begins anew: time of the input changed", done.err)
        self.assertEqual(self.output.read_bytes() == self.reference, True)

    def test_other_content_of_the_same_size_and_time_is_refused(self):
        clip, other = self.path("clip.mkv"), self.path("other.mkv")
        raw = ("rawvideo", "-pix_fmt", "yuv420p")
        test_clip(clip, seconds=NUM_FRAMES / 20, size="320x180", rate=20, sound=False, codec=raw)
        data = bytearray(clip.read_bytes())
        data[100000:100100] = bytes(100)
        other.write_bytes(data)
        times = (clip.stat().st_atime, clip.stat().st_mtime)
        self.interrupt(clip=clip)
        other.rename(clip)
        os.utime(clip, times)
        refused = support.atelier("run", *self.options(clip, self.output))
        self.assert_one_error(refused, 1)
        self.assertIn("--no-resume", refused.err)
        self.assertFalse(self.output.exists())
        self.run_done(*self.options(clip, self.output), "--no-resume")

    def test_other_packets_are_refused(self):
        """The same for chunks that workers decode, which only their packets tell."""
        clip, other = self.path("clip.mkv"), self.path("other.mkv")
        test_clip(clip, seconds=NUM_FRAMES / 20, size="320x180", rate=20, sound=False,
                  codec=("ffvhuff", "-pix_fmt", "yuv420p"))
        data = bytearray(clip.read_bytes())
        at = len(data) // 10
        data[at:at + 4] = bytes(byte ^ 0x55 for byte in data[at:at + 4])
        other.write_bytes(data)
        times = (clip.stat().st_atime, clip.stat().st_mtime)
        self.interrupt("--decode", "workers", clip=clip)
        other.rename(clip)
        os.utime(clip, times)
        refused = support.atelier("run", *self.options(clip, self.output), "--decode", "workers")
        self.assert_one_error(refused, 1)
        self.assertIn("--no-resume", refused.err)
        self.assertFalse(self.output.exists())

    def test_work_directory_that_cannot_be_made(self):
        self.path("file").write_text("")
        for work in (self.path("missing") / "work", self.path("file"), self.path("file") / "work"):
            with self.subTest(work):
                refused = support.atelier("run", *self.options(self.clip, self.output), "--work-dir", work, ranks=2)
                self.assert_one_error(refused, 2)
                self.assertEqual(sorted(path.name for path in self.folder.iterdir()), ["file"])

    def test_work_directory_that_goes_midway(self):
        process = self.start(ranks=2)
        self.wait_for(lambda: len(segments(self.work)) >= 3, process)
        shutil.rmtree(self.work, ignore_errors=True)
        code = process.wait(timeout=90)
        self.assertIn(code, (0, 1), self.said(process))
        if code == 1:
            self.assertIn("atelier: error: ", self.said(process))
            shutil.rmtree(self.work, ignore_errors=True)
            self.go_on()
        self.assertEqual(self.output.read_bytes() == self.reference, True)

    def test_random_kills(self):
        """Any rank or mpirun, at any moment, by KILL or TERM; several times in a job, and now and then in one start."""
        seed = int(os.environ.get("ATELIER_SEED", random.randrange(10**6)))
        chance = random.Random(seed)
        print(f"seed {seed}, {NUM_KILLS} kills", flush=True)
        kills, jobs, allowed = 0, 0, NUM_CHUNKS
        logs = self.path("logs")
        while kills < NUM_KILLS or jobs == 0:
            ranks = chance.choice((1, 2, 3, 5))
            known = {chunk_of(name) for name in segments(self.work)}
            record = self.path("r.h5")
            record.unlink(missing_ok=True)
            decode = chance.choice(("root", "workers"))
            process = self.start("--record", record, "--decode", decode, "--log-dir", logs, ranks=ranks)
            alive, moment = [], "none"
            if kills < NUM_KILLS:
                moment = chance.choice(("time", "time", "state", "segment", "mux", "publish"))
                self.wait_for_moment(moment, process, chance)
                alive = self.ranks_of(process)
                for _ in range(chance.choice((1, 1, 1, 2, 3))):
                    if process.poll() is None and self.kill_one(process, chance):
                        kills += 1
                        allowed += in_flight(ranks)
                        time.sleep(chance.uniform(0, 0.3))
            code = process.wait(timeout=120)
            self.wait_until_gone(alive)
            message = f"seed {seed}, kill {kills} ({moment}), {ranks} ranks, decode {decode}, code {code}:\n{self.said(process)}"
            if record.exists():
                rows = chunk_rows(record)
                again = {int(row["chunk_index"]) for row in rows if row["num_tries"] > 0} & known
                self.assertEqual(again, set(), message)
            if code == 0 or (self.output.exists() and not self.work.exists()):
                styled = styled_chunks(logs)
                self.assertGreaterEqual(styled, NUM_CHUNKS, message)
                self.assertLessEqual(styled, allowed, message)
                self.assertEqual(self.output.read_bytes() == self.reference, True, message)
                self.assertFalse(self.work.exists(), message)
                self.assertEqual([path.name for path in self.folder.iterdir() if path.name.endswith(".part")], [], message)
                self.output.unlink()
                shutil.rmtree(logs)
                jobs, allowed = jobs + 1, NUM_CHUNKS
                print(f"{kills} kills, {jobs} jobs", flush=True)
            else:
                made = {chunk_of(name) for name in segments(self.work)}
                self.assertTrue(known <= made or self.output.exists(), message)

    def wait_for_moment(self, moment, process, chance):
        """time: any; else something is just being written: a state, a segment, the end of the video, the output."""
        def names(pattern):
            return {path.name for path in self.folder.glob(pattern)}

        old_states, old_segments = names("out.mp4.atelier/state-*"), names("out.mp4.atelier/segments/*")
        conditions = {
            "time": lambda: False,
            "state": lambda: names("out.mp4.atelier/state-*") - old_states,
            "segment": lambda: names("out.mp4.atelier/segments/*") - old_segments,
            "mux": lambda: len(segments(self.work)) >= NUM_CHUNKS,
            "publish": lambda: names("out.mp4*") - {"out.mp4.atelier"},
        }
        end = time.monotonic() + (chance.uniform(0.1, 4) if moment == "time" else 60)
        while process.poll() is None and time.monotonic() < end and not conditions[moment]():
            time.sleep(0.001)
        if moment != "time":
            time.sleep(chance.choice((0, 0, 0.005, 0.05)))

    def kill_one(self, process, chance):
        ranks = self.ranks_of(process)
        victims = ranks + ([process.pid] if ranks != [process.pid] else [])
        try:
            os.kill(chance.choice(victims), chance.choice((signal.SIGKILL, signal.SIGTERM)))
        except ProcessLookupError:
            return False
        return True

    def wait_until_gone(self, processes):
        """Ranks that outlive mpirun end by themselves soon, or finish the job."""
        end = time.monotonic() + 30
        while any(Path(f"/proc/{process}").exists() for process in processes):
            self.assertLess(time.monotonic(), end, "ranks live on after the launcher")
            time.sleep(0.05)


def own_tests(loader, case):
    """Of a class made from Resume, not the tests of Resume again."""
    inherited = loader.getTestCaseNames(Resume)
    return unittest.TestSuite(case(name) for name in loader.getTestCaseNames(case) if name not in inherited)


if __name__ == "__main__":
    unittest.main()
