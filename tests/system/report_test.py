"""Record, report and logs of a real job."""
import csv
import json
import os
import re
import shutil
import signal
import subprocess
import time
import unittest
from collections import defaultdict
from html.parser import HTMLParser

import h5py

import support
from support import SystemTest, atelier, test_clip


class Report(SystemTest):
    def job(self, ranks):
        clip = test_clip(self.path("clip.mkv"))
        finished = self.run_done("--input", clip, "--output", self.path("out.mkv"), "--engine", "identity",
                                 "--chunk-frames", 10, "--record", self.path("job.h5"), "--log-dir", self.path("logs"),
                                 "--codec", "ffv1", ranks=ranks)
        return clip, finished

    def check_record(self, clip, ranks):
        times = support.frame_times_s(clip, 0)
        with h5py.File(self.path("job.h5")) as record:
            job = dict(record["job"].attrs)
            self.assertEqual(job["outcome"], "done")
            self.assertEqual(job["setting.input"], str(clip))
            self.assertEqual(job["setting.chunk-frames"], "10")
            for name in ("program_version", "git_sha", "launcher", "input.codec", "encoder"):
                self.assertTrue(job[name], name)
            frames = record["frames"][:]
            self.assertEqual(list(frames["frame_index"]), list(range(len(times))))
            self.assertEqual([int(pts) for pts in frames["pts_ticks"]], [round(time * 1000) for time in times])
            self.assertEqual(list(frames["chunk_index"]), [i // 10 for i in range(len(times))])
            workers = {0} if ranks == 1 else set(range(1, ranks))
            self.assertLessEqual(set(map(int, frames["rank"])), workers)
            self.assertTrue((frames["done_s"] > 0).all() and (frames["done_s"] <= job["wall_s"]).all())
            for stage in ("decode_s", "convert_s", "encode_s"):
                self.assertTrue((frames[stage] > 0).all(), stage)
            for stage in ("decode_s", "transfer_s", "convert_s", "style_s", "encode_s"):
                self.assertTrue((frames[stage] >= 0).all() and (frames[stage] < 60).all(), stage)
            chunks = record["chunks"][:]
            self.assertEqual(list(chunks["first_frame"]), list(range(0, len(times), 10)))
            self.assertEqual(int(chunks["end_frame"][-1]), len(times))
            self.assertTrue((chunks["encoded_bytes"] > 0).all())
            self.assertTrue((chunks["dealt_s"] <= chunks["styled_s"]).all())
            self.assertTrue((chunks["styled_s"] <= chunks["encoded_s"]).all())
            # The way of a frame, all by one clock; what came from a worker's clock may be off by some milliseconds.
            for before, after in (("decoded_s", "sent_s"), ("sent_s", "received_s"), ("received_s", "style_begin_s"),
                                  ("style_begin_s", "done_s"), ("done_s", "encode_begin_s")):
                self.assertTrue((frames[before] <= frames[after] + 0.1).all(), (before, after))
            self.assertTrue((frames["decoded_s"] > 0).all() and (frames["encode_begin_s"] < job["wall_s"]).all())
            self.assertTrue((chunks["flush_begin_s"] <= chunks["encode_end_s"]).all())
            self.assertTrue((chunks["encode_end_s"] <= chunks["encoded_s"] + 0.1).all())
            rows = record["ranks"][:]
            encoders = {0} if ranks == 1 else {rank for rank in range(1, ranks)}
            self.assertLessEqual(set(map(int, chunks["encode_rank"])), encoders)
            self.assertTrue(all(row["num_encoders"] > 0 for row in rows if int(row["rank"]) in encoders))
            self.assertEqual(sorted(map(int, rows["rank"])), list(range(ranks)))
            self.assertEqual(sum(map(int, rows["num_frames"])), len(times))
            self.assertTrue(all(rows["host"]))
            self.assertTrue((rows["peak_memory_bytes"] > 1 << 20).all())
        self.assertIn("pts_ticks", support.tool("h5dump", "-H", self.path("job.h5")))
        return len(times)

    def check_report(self, num_frames, ranks):
        done = atelier("report", self.path("job.h5"), "--csv", self.path("frames.csv"))
        self.assert_done(done)
        for part in ("frames/s", "Time per image", "Slowest stage", "Ranks", f"{num_frames} in "):
            self.assertIn(part, done.out)
        for stage in ("decode", "transfer", "convert", "style", "encode"):
            self.assertRegex(done.out, rf"(?m)^{stage} +\d")
        self.assertEqual(len(re.findall(r"(?m)^ +\d+  (root|worker)", done.out)), ranks)
        with open(self.path("frames.csv"), newline="") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual(len(rows), num_frames)
        self.assertEqual([int(row["frame_index"]) for row in rows], list(range(num_frames)))
        self.assertTrue(all(float(row["encode_s"]) > 0 for row in rows))

    def check_logs(self, num_frames, ranks):
        """A file for each rank, and every frame in them by its time."""
        logs = sorted(self.path("logs").iterdir())
        self.assertEqual(len(logs), ranks, logs)
        texts = [log.read_text() for log in logs]
        for text in texts:
            for line in text.splitlines():
                self.assertRegex(line, r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+\S* rank \d+ ")
        everything = "\n".join(texts)
        for index in range(num_frames):
            self.assertRegex(everything, rf"(?m)\bframe {index}\b.*\d\.\d+ m?s")
        self.assertRegex(texts[0], rf"(?m)\b{num_frames} frames\b.* s\b")

    def check(self, ranks):
        clip, _ = self.job(ranks)
        num_frames = self.check_record(clip, ranks)
        self.assertEqual(num_frames, 48)
        self.check_report(num_frames, ranks)
        self.check_logs(num_frames, ranks)

    def test_one_rank(self):
        self.check(1)

    def test_three_ranks(self):
        self.check(3)

    def test_two_jobs_share_a_log_folder(self):
        clip = test_clip(self.path("clip.mkv"), seconds=1)
        for name in ("first.mkv", "second.mkv"):
            self.run_done("--input", clip, "--output", self.path(name), "--engine", "identity", "--log-dir",
                          self.path("logs"))
        self.assertEqual(len(list(self.path("logs").iterdir())), 2)

    def test_page_and_trace(self):
        """Of real jobs: one rank, three with encoding at the root and at the workers, one frame."""
        clip = test_clip(self.path("clip.mkv"))
        jobs = {"one": (1, ()), "root": (3, ("--encode", "root")), "workers": (3, ("--encode", "workers")),
                "frame": (1, ("--duration", 0.03))}
        for name, (ranks, options) in jobs.items():
            self.run_done("--input", clip, "--output", self.path(f"{name}.mkv"), "--engine", "identity", "--chunk-frames", 10,
                          "--record", self.path(f"{name}.h5"), *options, ranks=ranks)
        for names in (*((name,) for name in jobs), tuple(jobs)):
            with self.subTest(names):
                self.assert_done(atelier("report", *(self.path(f"{name}.h5") for name in names), "--html", self.path("r.html"),
                                         "--trace", self.path("r.json"), "--csv", self.path("r.csv")))
                self.check_page(self.path("r.html").read_text(), len(names))
                self.check_trace(json.loads(self.path("r.json").read_text()), names)
                with open(self.path("r.csv"), newline="") as file:
                    rows = list(csv.DictReader(file))
                self.assertEqual("record" in rows[0], len(names) > 1)
                self.assertEqual(len(rows), sum(1 if name == "frame" else 48 for name in names))

    def check_page(self, html, num_jobs):
        page = Page()
        page.feed(html)
        page.close()
        self.assertEqual(page.open, [])
        self.assertEqual(page.headings.count("Who did what when"), num_jobs)
        self.assertEqual(page.headings.count("Side by side"), int(num_jobs > 1))
        self.assertGreater(page.count["path"], 10)
        self.assertNotRegex(html, r"https?:|\bnan\b|\binf\b|<script")

    def check_trace(self, trace, names):
        """Every frame has its slices, and slices of a thread do not overlap."""
        threads, stages = defaultdict(list), defaultdict(int)
        for event in trace["traceEvents"]:
            if event["ph"] == "X":
                threads[event["pid"], event["tid"]].append((event["ts"], event["dur"]))
                stages[event["args"].get("stage", "chunk")] += 1
        num_frames = sum(1 if name == "frame" else 48 for name in names)
        num_chunks = sum(1 if name == "frame" else 5 for name in names)
        self.assertEqual(dict(stages), {"decode": num_frames, "style": num_frames, "encode": num_frames + num_chunks,
                                        "chunk": num_chunks})
        for slices in threads.values():
            slices.sort()
            for (begin, length), (next_begin, _) in zip(slices, slices[1:]):
                self.assertLessEqual(begin + length, next_begin + 0.01)

    def test_record_of_an_older_version(self):
        """Its tables have fewer columns."""
        self.job(1)
        with h5py.File(self.path("job.h5"), "r+") as record:
            for table, last in (("ranks", "peak_memory_bytes"), ("chunks", "encoded_bytes"), ("frames", "encode_s")):
                rows = record[table][:]
                names = list(rows.dtype.names)
                del record[table]
                record[table] = rows[names[:names.index(last) + 1]].astype(
                    [(name, record_type(rows.dtype, name)) for name in names[:names.index(last) + 1]])
        done = atelier("report", self.path("job.h5"), "--html", self.path("r.html"), "--trace", self.path("r.json"))
        self.assert_done(done)
        self.assertIn("frames/s", done.out)
        self.assertIn("This record is of an older version", self.path("r.html").read_text())
        self.assertTrue(json.loads(self.path("r.json").read_text())["traceEvents"])

    def test_report_refuses_what_is_no_record(self):
        self.path("text.h5").write_text("no record" * 1000)
        self.path("empty.h5").write_bytes(b"")
        self.job(1)
        whole = self.path("job.h5").read_bytes()
        self.path("cut.h5").write_bytes(whole[:len(whole) // 2])
        for name in ("text.h5", "missing.h5", "empty.h5", "cut.h5"):
            for arguments in ((self.path(name),), (self.path("job.h5"), self.path(name))):
                done = atelier("report", *arguments, "--html", self.path("r.html"))
                self.assert_one_error(done, 2)
                self.assertIn(name, done.err)
                self.assertFalse(self.path("r.html").exists())

    def test_bad_options(self):
        for arguments in ((), ("--html", "r.html"), ("--nonsense", "r.h5"), ("--progress", "bar", "r.h5"),
                          ("--follow", "s.json", "r.h5"), ("--follow", "s.json", "--html", "r.html"),
                          ("--follow", self.path("missing.json")), ("--follow", __file__),
                          ("--follow", "s.json", "--progress", "loud")):
            with self.subTest(arguments):
                self.assert_one_error(atelier("report", *arguments, cwd=self.folder), 2)
        done = atelier("report", "--help")
        self.assert_done(done)
        for option in ("--html", "--trace", "--csv", "--follow", "--progress"):
            self.assertIn(option, done.out)

    def test_files_that_cannot_be_written(self):
        self.job(1)
        for option in ("--html", "--trace", "--csv"):
            done = atelier("report", self.path("job.h5"), option, self.path("no/such/folder/file"))
            self.assert_one_error(done, 1)
            self.assertIn("no/such/folder/file", done.err)


def record_type(row_type, name):
    """h5py gives texts as objects and has to be told that they are texts."""
    return h5py.string_dtype() if row_type[name].hasobject else row_type[name]


class Page(HTMLParser):
    """Notes what is open, and headings."""
    VOID = {"meta", "br", "link", "img", "input", "hr"}

    def __init__(self):
        super().__init__()
        self.open, self.headings, self.count = [], [], defaultdict(int)

    def handle_starttag(self, tag, attrs):
        self.count[tag] += 1
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.count[tag] += 1

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            raise AssertionError(f"</{tag}> closes nothing")

    def handle_data(self, data):
        if self.open and self.open[-1] == "h2":
            self.headings.append(data)


class Status(SystemTest):
    """The status file, and who follows it."""
    status_file = None  # of --status

    def start(self, *more, seconds=10):
        clip = test_clip(self.path("clip.mkv"), seconds=seconds, size="640x360", sound=False)
        command = [support.program(), "run", "--input", clip, "--output", self.path("out.mkv"), "--engine", "identity",
                   "--preset", "veryslow", "--chunk-frames", 24, "--progress", "none", *more]
        process = subprocess.Popen([str(part) for part in command], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE, text=True, env=support.clean_environment())
        self.addCleanup(lambda: (process.poll() is None and process.kill(), process.wait(), process.stderr.close()))
        end = time.monotonic() + 60
        while self.status().get("state") != "running":
            self.assertIsNone(process.poll())
            self.assertLess(time.monotonic(), end)
            time.sleep(0.05)
        return process

    def status(self):
        """{} where there is none, or half of one."""
        try:
            return json.loads((self.status_file or self.path("out.mkv.status.json")).read_text())
        except (FileNotFoundError, json.JSONDecodeError):
            return {}

    def whole_status(self):
        end = time.monotonic() + 30
        while not (status := self.status()):
            self.assertLess(time.monotonic(), end)
            time.sleep(0.05)
        return status

    def follow(self, name="out.mkv", **more):
        return atelier("report", "--follow", self.path(name), "--progress", "json", timeout_s=60, **more)

    def test_is_followed_to_the_end(self):
        process = self.start(seconds=6)
        during = self.whole_status()
        self.assertEqual(during["frames_total"], 144)
        self.assertEqual(during["pid"], process.pid)
        self.assertIsNone(during["exit_code"])
        followed = self.follow()
        self.assertEqual(followed.code, 0, followed.err)
        self.assertIn("done, 144 of 144 frames", followed.out)
        lines = [json.loads(line) for line in followed.err.splitlines() if line.startswith("{")]
        self.assertEqual(lines[-1]["state"], "done")
        self.assertEqual(process.wait(timeout=60), 0)
        after = self.status()
        self.assertEqual((after["state"], after["exit_code"], after["frames_done"]), ("done", 0, 144))
        self.assertGreater(after["sequence"], during["sequence"])
        self.assertEqual(self.follow("out.mkv.status.json").code, 0)

    def test_tells_an_interruption(self):
        process = self.start("--grace", 0)
        process.send_signal(signal.SIGUSR1)
        followed = self.follow()
        self.assertEqual(followed.code, 75, followed.err)
        self.assertIn("interrupted", followed.out)
        self.assertEqual(process.wait(timeout=60), 75)
        self.assertEqual(self.status()["message"].split()[0], "interrupted")

    def test_tells_a_killed_job_from_a_running_one(self):
        process = self.start()
        process.kill()
        process.wait(timeout=60)
        self.assertEqual(self.status()["state"], "running")
        followed = self.follow()
        self.assert_one_error(followed, 1)
        self.assertIn(f"the job was killed: process {process.pid} ", followed.err)
        # The same command goes on, and tells the truth again.
        self.run_done("--input", self.path("clip.mkv"), "--output", self.path("out.mkv"), "--engine", "identity", "--preset",
                      "veryslow", "--chunk-frames", 24, "--duration", 1)
        self.assertEqual(self.status()["state"], "done")

    def test_never_fails_the_job(self):
        """Its folder goes while the job runs."""
        folder = self.path("status")
        folder.mkdir()
        self.status_file = folder / "status.json"
        process = self.start("--status", self.status_file)
        shutil.rmtree(folder)
        _, said = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 0, said)
        warnings = [line for line in said.splitlines() if line.startswith("atelier: warning:")]
        self.assertEqual(len(warnings), 1, said)
        self.assertIn("status/status.json", warnings[0])

    def test_lies_where_one_wants_it(self):
        clip = test_clip(self.path("clip.mkv"), seconds=1)
        for number, (name, left) in enumerate((("none", None), ("other.json", "other.json"))):
            output = self.path(f"out{number}.mkv")
            self.run_done("--input", clip, "--output", output, "--engine", "identity", "--status", name, cwd=self.folder)
            self.assertFalse(self.path(support.status_name(output)).exists())
            if left:
                self.assertEqual(json.loads(self.path(left).read_text())["state"], "done")

    def test_replaces_nothing_else(self):
        clip = test_clip(self.path("clip.mkv"), seconds=1)
        self.path("diary.txt").write_text("dear diary")
        for name in ("clip.mkv", "out.mkv", "diary.txt"):
            done = atelier("run", "--input", clip, "--output", self.path("out.mkv"), "--engine", "identity", "--status",
                           self.path(name))
            self.assert_one_error(done, 2)
            self.assertIn("--status", done.err)
        self.assertEqual(self.path("diary.txt").read_text(), "dear diary")

    def test_bad_input_leaves_none(self):
        clip = test_clip(self.path("clip.mkv"), seconds=1)
        for ranks in (1, 2):
            done = atelier("run", "--input", clip, "--output", self.path("out.mkv"), "--engine", "identity", "--start", 100,
                           ranks=ranks)
            self.assert_one_error(done, 2)
            self.assertEqual([path.name for path in self.folder.iterdir()], ["clip.mkv"])

    def test_a_refused_job_leaves_the_other_its_status(self):
        process = self.start()
        os.kill(process.pid, signal.SIGSTOP)
        before = self.whole_status()
        refused = atelier("run", "--input", self.path("clip.mkv"), "--output", self.path("out.mkv"), "--engine", "identity",
                          timeout_s=90)
        os.kill(process.pid, signal.SIGCONT)
        self.assert_one_error(refused, 2)
        after = self.whole_status()
        self.assertEqual(after["pid"], process.pid)
        self.assertGreaterEqual(after["sequence"], before["sequence"])


if __name__ == "__main__":
    unittest.main()
