"""Record, report and logs of a real job."""
import csv
import re
import unittest

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

    def test_report_refuses_what_is_no_record(self):
        self.path("text.h5").write_text("no record" * 1000)
        for name in ("text.h5", "missing.h5"):
            done = atelier("report", self.path(name))
            self.assert_one_error(done, 2)
            self.assertIn(name, done.err)


if __name__ == "__main__":
    unittest.main()
