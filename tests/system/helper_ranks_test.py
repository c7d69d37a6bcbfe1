"""Ranks without a GPU that help to encode: one is lost, the job is interrupted, its input is damaged. A quick engine and slow
encoders keep all of them busy.

Environment: ATELIER_SEEDS, how many damaged clips are tried (2 if not given).
"""
import os
import random
import signal
import unittest

import resume_test
import support

NUM_SEEDS = int(os.environ.get("ATELIER_SEEDS", "2"))


class HelperRanks(resume_test.Resume):
    """One GPU, on rank 1, unless said otherwise."""

    @staticmethod
    def options(clip, output, gpus=1):
        return ["--input", clip, "--output", output, "--engine", "simulated", "--simulated-ms", 1, "--simulated-gpus", gpus,
                "--preset", "slower", "--chunk-frames", resume_test.CHUNK_FRAMES]

    def start_and_wait(self, *more, ranks):
        process = self.start(*more, ranks=ranks)
        self.wait_for(lambda: len(resume_test.segments(self.work)) >= 3, process)
        return process, self.ranks_of(process)

    def assert_goes_on(self, *more, ranks, enough=True):
        """With helpers again, which are needed if enough is left to do, to the bytes of a job without them."""
        done = self.go_on(*more, "--record", self.path("r.h5"), ranks=ranks)
        self.assertIn("goes on from an earlier start", done.err)
        rows = resume_test.chunk_rows(self.path("r.h5"))
        self.assertGreaterEqual(sum(rows["num_tries"] == 0), 3)
        if enough:
            encoded_by = set(rows["encode_rank"][rows["num_tries"] > 0])
            self.assertTrue(encoded_by & set(range(2, ranks)), f"no helper has encoded, but {encoded_by}")
        self.assert_whole(others=["r.h5"])

    def test_lost_helper_ends_the_job_in_seconds(self):
        cases = ((signal.SIGKILL, "its process has ended", "workers"), (signal.SIGSTOP, r"nothing was heard for \d s", "root"))
        for how, why, decode in cases:
            with self.subTest(how=how.name, decode=decode):
                process, ranks = self.start_and_wait("--decode", decode, "--rank-timeout", 4, ranks=4)
                os.kill(ranks[3], how)
                self.assertNotEqual(process.wait(timeout=30), 0)
                said = self.said(process)
                self.assertRegex(said, rf"atelier: error: rank 3 on \S+ is gone \({why}\)\. Run the same command again")
                found = resume_test.state(self.work)
                self.assertEqual((found["status"], found["exit_code"]), ("failed", 1))
                self.wait_until_gone(ranks)
                self.assert_goes_on("--decode", decode, ranks=5, enough=how == signal.SIGKILL)
                self.output.unlink()
                self.path("r.h5").unlink()

    def test_interrupted_with_helpers(self):
        process, ranks = self.start_and_wait("--decode", "workers", ranks=4)
        process.send_signal(signal.SIGUSR1)
        self.assertEqual(process.wait(timeout=60), 75, self.said(process))
        self.wait_until_gone(ranks)
        found = resume_test.state(self.work)
        self.assertEqual((found["status"], found["chunks_done"]), ("interrupted", len(resume_test.segments(self.work))))
        self.assertLess(found["chunks_done"], resume_test.NUM_CHUNKS)
        self.assert_goes_on("--decode", "workers", ranks=4)

    def test_damage_at_workers(self):
        """The bytes of decoding at the root, wherever the damage lies."""
        noticed = []
        for seed in range(NUM_SEEDS):
            with self.subTest(seed=seed):
                chance = random.Random(seed)
                data = bytearray(self.clip.read_bytes())
                for _ in range(chance.choice((1, 3, 6))):
                    at = chance.randrange(len(data) // 12, len(data) * 9 // 10)
                    for byte in range(at, at + chance.choice((1, 20, 500))):
                        data[byte] ^= 0x5a
                damaged = self.path("damaged.mp4")
                damaged.write_bytes(data)
                outputs = {}
                for decode, ranks in (("root", 1), ("workers", 4)):
                    output, record = self.path(f"{decode}.mp4"), self.path(f"{decode}.h5")
                    self.run_done(*self.options(damaged, output, gpus=1 + seed % 2), "--decode", decode, "--record", record,
                                  "--overwrite", ranks=ranks)
                    outputs[decode] = output.read_bytes()
                    noticed += support.events(record, "decode")
                self.assertEqual(len(set(outputs.values())), 1, {name: len(data) for name, data in outputs.items()})
        self.assertTrue(noticed, "no worker has met damage")


def load_tests(loader, _tests, _pattern):
    return resume_test.own_tests(loader, HelperRanks)


if __name__ == "__main__":
    unittest.main()
