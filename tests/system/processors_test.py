"""One kind of processor makes one file: others are refused, also when a job goes on, and no finished chunk is lost.

Another kind is simulated (--simulated-processor), or is this CPU with fewer instructions, in a rank of its own.
"""
import re
import shutil
import signal
import time
import unittest
from pathlib import Path

import support
from support import MPIRUN, STYLE, SystemTest, clean_environment, program, test_clip

REFUSED = "workers run on different hardware"
OTHER_CHUNKS = "finished chunks were made on another kind of processor"


class Processors(SystemTest):
    def setUp(self):
        super().setUp()
        self.clip = test_clip(self.path("clip.mp4"), seconds=3, size="320x180", sound=False)
        self.output = self.path("out.mkv")
        self.work = self.path("out.mkv.atelier")

    def options(self, *more):
        return ["--input", self.clip, "--output", self.output, "--chunk-frames", 6, *more]

    def run_job(self, *more, ranks=1, **other):
        return support.atelier("run", *self.options(*more), ranks=ranks, **other)

    def run_ranks_apart(self, variables, *more):
        """Three ranks, the last one with variables of its own."""
        job = [program(), "run", *self.options(*more)]
        settings = [f"{name}={value}" for name, value in variables.items()]
        return support.run_process([*MPIRUN, "-n", 2, *job, ":", "-n", 1, "env", *settings, *job],
                                   env=clean_environment())

    def assert_refused(self, done, *texts):
        self.assertEqual(done.code, 2, done.err)
        for text in texts:
            self.assertIn(text, done.err)
        self.assertFalse(self.output.exists())

    def finish(self, *more, ranks=1):
        """The bytes of a job that is done; its output is removed."""
        done = self.run_job(*more, ranks=ranks)
        self.assert_done(done)
        data = self.output.read_bytes()
        self.output.unlink()
        return data

    def stored(self):
        return sorted(path.name for path in (self.work / "segments").glob("*.seg")) if self.work.exists() else []

    def interrupt(self, *more):
        """A job that ends with two chunks more in store."""
        before = len(self.stored())
        process = self.in_background([program(), "run", *self.options(*more)])
        end = time.monotonic() + 90
        while len(self.stored()) < before + 2:
            self.assertIsNone(process.poll(), self.said(process))
            self.assertLess(time.monotonic(), end, "took too long")
            time.sleep(0.005)
        process.send_signal(signal.SIGUSR1)
        self.assertEqual(process.wait(timeout=60), 75, self.said(process))
        return self.stored()

    def test_a_worker_on_another_kind_is_refused(self):
        options = ("--engine", "identity", "--simulated-processor", "2:CPU-B")
        self.assert_refused(self.run_job(*options, ranks=3), REFUSED, "rank 1: ", "rank 2: CPU-B", "--allow-mixed")
        self.assertEqual(self.stored(), [])
        mixed = self.finish(*options, "--allow-mixed", ranks=3)
        self.assertEqual(mixed == self.finish("--engine", "identity", ranks=3), True)

    def test_an_engine_that_computes_nothing_runs_anywhere(self):
        self.finish("--engine", "simulated", "--simulated-ms", 1, "--simulated-processor", "2:CPU-B", ranks=3)

    def test_encoders_count_where_their_bits_depend_on_the_processor(self):
        options = ("--engine", "simulated", "--simulated-ms", 1, "--encode", "workers", "--simulated-processor", "2:CPU-B")
        self.assert_refused(self.run_job(*options, "--codec", "mjpeg", ranks=3), REFUSED, "who encodes them")
        self.finish(*options, "--codec", "x264", ranks=3)
        helper = (*options, "--simulated-gpus", 1)  # rank 2 only encodes
        self.assert_refused(self.run_job(*helper, "--codec", "mjpeg", ranks=3), REFUSED, "rank 2: CPU-B", "who encodes them")
        self.finish(*helper, "--codec", "x264", ranks=3)

    def test_instructions_decide_where_they_change_bits(self):
        fewer = {"ONEDNN_MAX_CPU_ISA": "SSE41"}
        self.assert_refused(self.run_ranks_apart(fewer, "--style", STYLE), REFUSED, "rank 1: ", "rank 2: ", "(SSE41), bits ")
        done = self.run_ranks_apart(fewer, "--engine", "identity")
        self.assert_done(done)
        apart = self.output.read_bytes()
        self.output.unlink()
        self.assertEqual(apart == self.finish("--engine", "identity"), True)

    def bits(self, variables):
        """Of a trial frame, as a job with these variables logs them."""
        logs = self.path("logs")
        done = self.run_job("--style", STYLE, "--duration", 0.2, "--log-dir", logs, "--overwrite", env=variables)
        self.assert_done(done)
        log, = logs.iterdir()
        found = re.findall(r"makes frames with bits ([0-9a-f]{16})$", log.read_text(), re.MULTILINE)
        shutil.rmtree(logs)
        self.assertEqual(len(found), 1)
        return found[0]

    def test_code_paths_are_those_that_most_cpus_share(self):
        """Seen with AVX-512: other bits without MKL_CBWR, none with less for ATen."""
        pinned = {"MKL_CBWR": "COMPATIBLE", "ONEDNN_MAX_CPU_ISA": "AVX512_CORE"}
        if "avx2" in Path("/proc/cpuinfo").read_text():
            pinned["ATEN_CPU_CAPABILITY"] = "avx2"
        self.assertEqual(self.bits({}), self.bits(pinned))

    def test_chunks_of_another_kind_are_kept(self):
        options = ("--style", STYLE)
        reference = self.finish(*options)
        stored = self.interrupt(*options)
        refused = self.run_job(*options, "--simulated-processor", "0:CPU-B")
        self.assert_refused(refused, OTHER_CHUNKS, "this start: CPU-B", "--allow-mixed")
        self.assertEqual(self.stored(), stored)
        again = self.run_job(*options)
        self.assert_done(again)
        self.assertIn(f"from an earlier start: {len(stored)} chunks", again.err)
        self.assertEqual(self.output.read_bytes() == reference, True)

    def test_mixing_goes_on_and_is_not_forgotten(self):
        options = ("--style", STYLE)
        reference = self.finish(*options)
        self.interrupt(*options)
        other = (*options, "--simulated-processor", "0:CPU-B")
        stored = self.interrupt(*other, "--allow-mixed")
        for back in (options, other):
            self.assert_refused(self.run_job(*back), OTHER_CHUNKS)
        self.assertEqual(self.stored(), stored)
        done = self.run_job(*options, "--allow-mixed")
        self.assert_done(done)
        self.assertIn("with chunks of another kind of processor", done.err)
        self.assertEqual(self.output.read_bytes() == reference, True)

    def test_another_style_picture_still_begins_anew(self):
        """The pictures are settings; only what a CPU makes of them belongs to its kind."""
        self.interrupt("--style", STYLE)
        done = self.run_job("--style", support.ROOT / "styles" / "ink-wash.jpg")
        self.assert_done(done)
        self.assertIn("style pictures changed", done.err)


if __name__ == "__main__":
    unittest.main()
