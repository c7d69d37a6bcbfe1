"""atelier plan: from the record of a real job to a table, sentences and CSV; bad input."""
import csv
import unittest

from support import ROOT, SystemTest, atelier, test_clip

PRICES = """currency = EUR
cold_start_s = 90
[machine.1]
price_per_h = 3.6
[machine.2]
price_per_h = 7.2
spot_price_per_h = 2.4
spot_evictions_per_h = 0.5
"""


class Plan(SystemTest):
    def setUp(self):
        super().setUp()
        self.path("prices.cfg").write_text(PRICES)

    def record(self, ranks, name="job.h5", *more, **config):
        clip = self.path("clip.mkv")
        if not clip.exists():
            test_clip(clip, seconds=4)
        self.run_done("--input", clip, "--output", self.path("out.mkv"), "--engine", "identity", "--chunk-frames", 12,
                      "--record", self.path(name), "--overwrite", *more, ranks=ranks, **config)
        return self.path(name)

    def plan(self, *arguments, record=None):
        return atelier("plan", "--record", record or self.path("job.h5"), "--prices", self.path("prices.cfg"), *arguments)

    def test_a_measured_job(self):
        self.record(3)
        table = self.path("plan.csv")
        done = self.plan("--layouts", "1x1,1x2,4x2", "--frames", 100000, "--deadline", "10:00:00", "--csv", table)
        self.assert_done(done)
        self.assertEqual(done.err, "")
        self.assertIn("job.h5: 1x2, 96 frames took", done.out)
        self.assertIn("The cheapest layout that meets the deadline of 10:00:00 is ", done.out)
        self.assertIn("warm if the next job comes within 90.0 s", done.out)
        with table.open() as file:
            rows = list(csv.DictReader(file))
        self.assertEqual([row["layout"] for row in rows], ["1x1", "1x2", "4x2"])
        self.assertEqual([row["encode"] for row in rows], ["root", "workers", "workers"])
        for row in rows:
            self.assertEqual((row["frames"], row["chunk_frames"], row["currency"]), ("100000", "12", "EUR"))
            self.assertEqual(row["meets_deadline"], "yes")
            total_s = float(row["total_s"])
            self.assertAlmostEqual(total_s, float(row["job_s"]) + 90, places=2)
            price = {"1": 3.6, "2": 7.2}[row["gpus_per_machine"]] * int(row["machines"])
            self.assertAlmostEqual(float(row["cost"]), total_s / 3600 * price, places=4)
            self.assertAlmostEqual(float(row["frames_per_s"]) * float(row["job_s"]) / 100000, 1, places=4)
            for name, value in row.items():
                if name.endswith("_use") or name == "efficiency":
                    self.assertTrue(0 <= float(value) <= 1.0001, f"{name}: {value}")
        cheapest = min(rows, key=lambda row: float(row["cost"]))
        self.assertIn(f"10:00:00 is {cheapest['layout']}:", done.out)

    def test_the_same_command_prints_the_same(self):
        self.record(1)
        first = self.plan("--layouts", "1x1,2x2")
        self.assert_done(first)
        self.assertEqual(self.plan("--layouts", "1x1,2x2").out, first.out)
        self.assertIn("96 frames, chunks of 12;", first.out)
        self.assertIn("The cheapest layout is ", first.out)

    def test_a_deadline_too_near(self):
        self.record(1)
        done = self.plan("--layouts", "1x1,1x2", "--deadline", 60)
        self.assert_done(done)
        self.assertIn("No layout meets the deadline of 60.0 s: the fastest, ", done.out)
        self.assertIn("The start alone takes longer.", done.out)

    def test_evictions(self):
        self.record(1)
        done = self.plan("--layouts", "1x2", "--frames", 1000000)
        self.assert_done(done)
        self.assertIn("Chunk length on 1x2, at 0.500 evictions an hour", done.out)
        self.assertIn("On spot machines 1x2 is expected to cost", done.out)
        done = self.plan("--layouts", "1x2", "--frames", 1000000, "--eviction-rate", 60)
        self.assertIn("the job would never end", done.out)

    def test_records_are_combined(self):
        self.record(2)
        self.record(3, "more.h5")
        done = self.plan("--layouts", "1x1", "--record", self.path("more.h5"))
        self.assert_done(done)
        self.assertIn("job.h5: 1x1, 96 frames", done.out)
        self.assertIn("more.h5: 1x2, 96 frames", done.out)

    def test_a_resumed_job(self):
        self.record(1, "whole.h5", "--keep-work", "--work-dir", self.path("work"))
        self.path("out.mkv").unlink()
        self.record(1, "job.h5", "--work-dir", self.path("work"))
        done = self.plan("--layouts", "1x1")
        self.assert_one_error(done, 2)
        self.assertIn("an earlier start had made all its chunks", done.err)

    def test_one_frame(self):
        test_clip(self.path("clip.mkv"), seconds=1, rate=1)
        self.record(1)
        done = self.plan("--layouts", "1x1,2x2")
        self.assert_done(done)
        self.assertIn("1 frame, chunks of 12;", done.out)

    def test_bad_input(self):
        self.record(1)
        record, prices = self.path("job.h5"), self.path("prices.cfg")
        self.path("bad.cfg").write_text(PRICES + "spot_price_per_h = 1\n")
        cases = [
            (["--layouts", "1x1"], "--record is missing"),
            (["--record", record, "--prices", prices], "--layouts is missing"),
            (["--record", record, "--layouts", "1x1"], "--prices is missing"),
            (["--record", record, "--prices", prices, "--layouts", "1x0"], "'1x0' is no layout"),
            (["--record", record, "--prices", prices, "--layouts", "1x4"], "no price of a machine with 4 GPUs"),
            (["--record", record, "--prices", self.path("none.cfg"), "--layouts", "1x1"], "none.cfg"),
            (["--record", record, "--prices", self.path("bad.cfg"), "--layouts", "1x1"], "line 9: sets spot_price_per_h again"),
            (["--record", prices, "--prices", prices, "--layouts", "1x1"], "prices.cfg"),
            (["--record", self.path("none.h5"), "--prices", prices, "--layouts", "1x1"], "none.h5"),
            (["--record", record, "--prices", prices, "--layouts", "1x1", "--frames", "0"], "--frames cannot be '0'"),
            (["--record", record, "--prices", prices, "--layouts", "1x1", "--deadline", "soon"], "--deadline cannot be 'soon'"),
            (["--record", record, "--prices", prices, "--layouts", "1x1", "--eviction-rate", "-1"], "--eviction-rate cannot be '-1'"),
            (["--record", record, "--prices", prices, "--layouts", "1x1", "--encode", "gpu"], "--encode cannot be 'gpu'"),
            (["--record", record, "--prices", prices, "--layouts", "1x1", "--colour"], "--colour"),
            (["--record", record, "--prices", prices, "--layouts", "1x1", "more"], ""),
        ]
        for arguments, named in cases:
            with self.subTest(named or arguments[-1]):
                done = atelier("plan", *arguments)
                self.assert_one_error(done, 2)
                self.assertIn(named, done.err)
                self.assertEqual(done.out, "")

    def test_the_example_of_prices(self):
        self.record(1)
        done = atelier("plan", "--record", self.path("job.h5"), "--prices", ROOT / "jobs" / "prices.cfg", "--layouts", "1x1,1x2,1x4")
        self.assert_done(done)

    def test_help(self):
        done = atelier("plan", "--help")
        self.assert_done(done)
        for option in ("--record", "--layouts", "--prices", "--frames", "--deadline", "--eviction-rate", "--csv"):
            self.assertIn(option, done.out)


if __name__ == "__main__":
    unittest.main()
