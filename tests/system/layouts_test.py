"""`--engine simulated` on several ranks, and `atelier bench layouts`. How fast this machine is is not judged here.

File comparisons are exact.
"""
import csv
import shutil
import signal
import stat
import tempfile
import unittest
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import slurm_cluster
from support import ROOT, SystemTest, atelier, program, run_process, test_clip

MPIRUN = "mpirun --allow-run-as-root"


class Simulated(SystemTest):
    def record(self, path):
        import h5py
        with h5py.File(path) as record:
            return {name: record[name][:] for name in ("ranks", "chunks", "frames")}, dict(record["job"].attrs)

    def test_gives_the_bytes_of_identity(self):
        clip = test_clip(self.path("clip.mkv"), seconds=3)
        common = ("--input", clip, "--chunk-frames", 10)
        self.run_done(*common, "--engine", "identity", "--output", self.path("identity.mp4"))
        expected = self.path("identity.mp4").read_bytes()
        for ranks, encode in ((1, "root"), (2, "root"), (3, "workers"), (5, "workers")):
            with self.subTest(ranks):
                output = self.path(f"{ranks}.mp4")
                self.run_done(*common, "--engine", "simulated", "--simulated-ms", 1, "--encode", encode, "--output", output,
                              ranks=ranks)
                self.assertTrue(output.read_bytes() == expected)

    def test_record_tells_time_and_bytes(self):
        """72 frames of 128x72 in 4:2:0 to the workers and back: no fewer bytes than their samples."""
        clip = test_clip(self.path("clip.mkv"), seconds=3, sound=False)
        self.run_done("--input", clip, "--chunk-frames", 4, "--engine", "simulated", "--simulated-ms", 10,
                      "--simulated-slow-rank", "2:8", "--encode", "root", "--output", self.path("out.mkv"),
                      "--record", self.path("r.h5"), ranks=3)
        tables, _ = self.record(self.path("r.h5"))
        root, first, slow = tables["ranks"]
        planes = 128 * 72 * 3 // 2
        self.assertGreater(root["bytes_sent"], 72 * planes)
        self.assertLess(root["bytes_sent"], 72 * planes + 200_000)
        self.assertEqual(root["bytes_sent"], first["bytes_received"] + slow["bytes_received"])
        self.assertGreater(root["bytes_received"], 72 * planes)
        self.assertEqual(root["bytes_between_machines"], 0)
        for rank in tables["ranks"]:
            self.assertGreater(rank["cpu_s"], 0)
            self.assertGreater(rank["message_cpu_s"], 0)
            self.assertLess(rank["message_cpu_s"], rank["cpu_s"])
        style = {rank: [float(frame["style_s"]) for frame in tables["frames"] if frame["rank"] == rank] for rank in (1, 2)}
        # A frame that waits begins when the one before should have ended: single ones may look shorter, never their mean.
        # Tolerance: rounding of the record's floats.
        self.assertGreaterEqual(sum(style[1]) / len(style[1]), 0.01 - 1e-6)
        self.assertGreaterEqual(sum(style[2]) / len(style[2]), 0.08 - 1e-6)
        self.assertGreater(len(style[1]), len(style[2]), "a slow rank gets its share, not half")

    def test_slow_rank_needs_the_engine(self):
        finished = atelier("run", "--input", "a.mkv", "--output", "b.mkv", "--engine", "identity", "--simulated-slow-rank",
                           "1:2")
        self.assert_one_error(finished, 2)
        finished = atelier("run", "--input", "a.mkv", "--output", "b.mkv", "--engine", "simulated", "--simulated-slow-rank",
                           "1")
        self.assert_one_error(finished, 2)


class Layouts(SystemTest):
    def bench(self, *arguments, **more):
        return atelier("bench", "layouts", "--mpirun", MPIRUN, "--results", self.path("results"), *arguments, **more)

    def rows(self):
        with open(self.path("results") / "layouts.csv", newline="") as file:
            return list(csv.DictReader(file))

    def check_svg(self, num_charts, num_points):
        root = ElementTree.parse(self.path("results") / "layouts.svg").getroot()
        names = {"svg": "http://www.w3.org/2000/svg"}
        self.assertEqual(len(root.findall("svg:g", names)), num_charts)
        self.assertEqual(len(root.findall(".//svg:circle", names)), num_points)

    def test_strong(self):
        clip = test_clip(self.path("clip.mkv"), seconds=2, sound=False)
        finished = self.bench("--layouts", "1x1,1x2,2x1", "--repeats", 1, "--warm-ups", 0, "--input", clip, "--engine",
                              "simulated", "--simulated-ms", 4, "--chunk-frames", 6, "--prices", ROOT / "jobs" / "prices.cfg")
        self.assertEqual(finished.code, 0, finished.err)
        rows = self.rows()
        self.assertEqual([row["layout"] for row in rows], ["1x1", "1x2", "2x1"])
        for row in rows:
            self.assertEqual(row["frames"], "48")
            self.assertEqual(row["chunk_frames"], "6")
            self.assertGreater(float(row["frames_per_s"]), 0)
            self.assertGreater(float(row["cost_per_1000_frames"]), 0)
            self.assertGreater(int(row["bytes_moved"]), 48 * 128 * 72)
            self.assertGreater(float(row["root_cpu_ms_per_frame"]), 0)
            self.assertGreater(float(row["frames_lost_per_kill"]), 0)
            self.assertLess(float(row["startup_s"]), float(row["process_s"]))
        self.check_svg(num_charts=2, num_points=6)
        table = (self.path("results") / "layouts.md").read_text()
        self.assertEqual(finished.out, table)
        self.assertIn("| strong | 1x2 | 2 | 6 | 48 |", table)
        records = sorted(path.name for path in (self.path("results") / "jobs").glob("*.h5"))
        self.assertEqual(records, ["strong-1x1-c6-1.h5", "strong-1x2-c6-1.h5", "strong-2x1-c6-1.h5"])
        self.assertEqual(list(self.path("results").glob("output*")), [])

    def test_weak_and_chunk_lengths(self):
        clip = test_clip(self.path("clip.mkv"), seconds=2, sound=False)
        finished = self.bench("--layouts", "1x1,1x2", "--scaling", "weak", "--duration", 1, "--repeats", 1, "--warm-ups", 0,
                              "--chunk-frames", "6,12", "--input", clip, "--engine", "simulated", "--simulated-ms", 1)
        self.assertEqual(finished.code, 0, finished.err)
        self.assertEqual([(row["layout"], row["chunk_frames"], row["frames"]) for row in self.rows()],
                         [("1x1", "6", "24"), ("1x2", "6", "48"), ("1x1", "12", "24"), ("1x2", "12", "48")])
        self.check_svg(num_charts=4, num_points=4 + 4 + 2 + 2)

    def test_a_clip_too_short_for_weak_scaling(self):
        clip = test_clip(self.path("clip.mkv"), seconds=1, sound=False)
        finished = self.bench("--layouts", "1x1,1x3", "--scaling", "weak", "--duration", 1, "--input", clip, "--engine",
                              "identity")
        self.assert_one_error(finished, 2)
        self.assertIn("too short", finished.err)

    def test_a_layout_that_hangs_is_ended_and_named(self):
        clip = test_clip(self.path("clip.mkv"), seconds=1, sound=False)
        finished = self.bench("--layouts", "1x1,1x2", "--repeats", 1, "--warm-ups", 0, "--timeout", 25, "--input", clip,
                              "--engine", "simulated", "--simulated-ms", 1, "--simulated-slow-rank", "2:1000000",
                              "--chunk-frames", 4)
        self.assertEqual(finished.code, 1, finished.err)
        self.assertEqual(len(finished.errors()), 1, finished.err)
        self.assertIn("layout 1x2 was not done after 25 s", finished.errors()[0])
        self.assertEqual([row["layout"] for row in self.rows()], ["1x1"])

    def test_hosts(self):
        """mpirun is a stand-in that keeps its words: one machine cannot play several by their names."""
        clip = test_clip(self.path("clip.mkv"), seconds=1, sound=False)
        hosts = self.path("hosts")
        hosts.write_text("localhost\nno-such-machine.invalid\n")
        arguments = ("--layouts", "1x1,2x1", "--hosts", hosts, "--input", clip, "--engine", "identity")
        finished = self.bench(*arguments)
        self.assert_one_error(finished, 2)
        self.assertIn("no-such-machine.invalid", finished.errors()[0])
        hosts.write_text("localhost\n")
        finished = self.bench(*arguments)
        self.assert_one_error(finished, 2)
        self.assertIn("names 1 machines", finished.errors()[0])

    def stand_in_for_mpirun(self):
        """A program that keeps its words and ends with 213."""
        stand_in = self.path("stand-in")
        stand_in.write_text(f"#!/bin/sh\necho \"$@\" >>{self.path('words')}\necho 'a host is down' >&2\nexit 213\n")
        stand_in.chmod(stand_in.stat().st_mode | stat.S_IXUSR)
        return stand_in

    def test_mpirun_gets_the_hosts(self):
        clip = test_clip(self.path("clip.mkv"), seconds=1, sound=False)
        self.path("hosts").write_text("localhost\n127.0.0.1  # the second\n")
        finished = atelier("bench", "layouts", "--mpirun", self.stand_in_for_mpirun(), "--results", self.path("results"),
                           "--layouts", "2x3", "--hosts", self.path("hosts"), "--input", clip, "--engine", "identity", "--warm-ups", 0)
        self.assertEqual(finished.code, 1, finished.err)
        self.assertIn("layout 2x3 ended with code 213 (a host is down)", finished.errors()[-1])
        self.assertIn("-n 7 --map-by slot --host localhost:4,127.0.0.1:3 ", self.path("words").read_text())

    def test_a_parent_that_ignores_chld(self):
        """The exit code of what is started is known all the same."""
        clip = test_clip(self.path("clip.mkv"), seconds=1, sound=False)
        finished = atelier("bench", "layouts", "--mpirun", self.stand_in_for_mpirun(), "--results", self.path("results"),
                           "--layouts", "1x1", "--input", clip, "--engine", "identity", "--warm-ups", 0,
                           preexec_fn=lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN))
        self.assertEqual(finished.code, 1, finished.err)
        self.assertIn("layout 1x1 ended with code 213", finished.errors()[-1])

    def test_bad_usage(self):
        clip = test_clip(self.path("clip.mkv"), seconds=1, sound=False)
        good = ("--input", clip, "--engine", "identity")
        for arguments in (good, ("--layouts", "1x", *good), ("--layouts", "1x1", "--scaling", "weak", *good),
                          ("--layouts", "1x1", "--input", clip, "--engine", "magic"), ("--layouts", "1x1", "--nonsense", *good),
                          ("--layouts", "1x1", "--record", "r.h5", *good), ("--layouts", "1x1", "--chunk-frames", "1,x", *good),
                          ("--layouts", "1x1", "--hosts", self.path("missing"), *good),
                          ("--layouts", "1x3", "--prices", ROOT / "jobs" / "prices.cfg", *good),
                          ("--layouts", "1x1", "--engine", "identity", "--input", self.path("missing.mkv"))):
            with self.subTest(arguments):
                self.assert_one_error(self.bench(*arguments), 2)


class SlurmLayouts(SystemTest):
    def test_two_nodes(self):
        """A real Slurm of two nodes, where they have names of their own."""
        why = slurm_cluster.why_not()
        if why:
            self.skipTest(f"Slurm cannot run here: {why}")
        folder = Path(tempfile.mkdtemp(prefix="atelier-slurm.", dir="/tmp"))    # Unix sockets: no deep folder
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        cluster = slurm_cluster.SlurmCluster(folder)
        self.addCleanup(cluster.stop)
        if not cluster.nodes_have_names:
            self.skipTest("the nodes share one host name: where a worker ran cannot be told")
        clip = test_clip(self.path("clip.mkv"), seconds=2, sound=False)
        finished = run_process([program(), "bench", "layouts", "--to", "slurm", "--layouts", "1x2,2x1", "--repeats", 1,
                                "--warm-ups", 0, "--results", self.path("results"), "--slurm-options", "--comment={machines}x{gpus}",
                                "--timeout", 90, "--input", clip, "--engine", "simulated", "--simulated-ms", 2,
                                "--chunk-frames", 6], timeout_s=240, env=cluster.environment)
        logs = "\n".join(f"{log.name}: {log.read_text()}" for log in self.path("results").glob("jobs/*.log"))
        self.assertEqual(finished.code, 0, finished.err + logs)
        with open(self.path("results") / "layouts.csv", newline="") as file:
            rows = {row["layout"]: row for row in csv.DictReader(file)}
        self.assertEqual(list(rows), ["1x2", "2x1"])
        self.assertEqual(rows["1x2"]["bytes_between_machines"], "0")
        self.assertGreater(int(rows["2x1"]["bytes_between_machines"]), 6 * 128 * 72)
        self.assertLess(int(rows["2x1"]["bytes_between_machines"]), int(rows["2x1"]["bytes_moved"]))


if __name__ == "__main__":
    unittest.main()
