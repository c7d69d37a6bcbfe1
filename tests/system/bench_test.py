"""The benchmarks run to their end and print what they promise. What they measure is not judged here."""
import csv
import io
import unittest

from support import SystemTest, atelier, test_clip


class Bench(SystemTest):
    def rows(self, *arguments, ranks=1):
        finished = atelier("bench", *arguments, ranks=ranks)
        self.assertEqual(finished.code, 0, finished.err)
        return list(csv.DictReader(io.StringIO(finished.out)))

    def test_stages(self):
        clip = test_clip(self.path("clip.mkv"))
        for ranks in (1, 2, 3):
            with self.subTest(ranks):
                rows = self.rows("stages", "--input", clip, "--engine", "identity", "--frames", 10, "--repeats", 2,
                                 "--chunk-frames", 10, ranks=ranks)
                expected = ["decode", "planes_to_tensor", "engine", "tensor_to_planes", "encode", "transfer_loopback"]
                expected += ["transfer_mpi"] * (ranks > 1) + ["whole_job"]
                self.assertEqual([row["stage"] for row in rows], expected)
                for row in rows:
                    self.assertGreater(float(row["median_frames_per_s"]), 0, row)
                    self.assertLessEqual(float(row["min_frames_per_s"]), float(row["median_frames_per_s"]), row)
                    self.assertEqual(row["ranks"], str(ranks))
                    self.assertRegex(row["git_sha"], "^([0-9a-f]{12}|unknown)")
                limits = {row["stage"]: row["limit"] for row in rows}
                self.assertIn("ffmpeg", limits["decode"])
                self.assertIn("memcpy", limits["transfer_loopback"])
                self.assertTrue(limits["whole_job"])

    def test_engine(self):
        rows = self.rows("engine", "--engine", "adaptive", "--style", "none", "--width", 64, "--height", 48, "--repeats", 2)
        self.assertEqual(len(rows), 1)
        self.assertGreater(float(rows[0]["frames_per_s"]), 0)


if __name__ == "__main__":
    unittest.main()
