"""slurm/atelier.sbatch with jobs/demo.cfg under a real Slurm of two nodes: the file of one rank, exit codes, signals.

All comparisons are exact. Skipped where Slurm is not installed.
"""
import shutil
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

import slurm_cluster
import support
from support import ROOT, SystemTest, test_clip

IDENTITY = ("--engine", "identity", "--height", "96")


class Slurm(SystemTest):
    @classmethod
    def setUpClass(cls):
        why = slurm_cluster.why_not()
        if why:
            raise unittest.SkipTest(f"Slurm cannot run here: {why}")
        folder = Path(tempfile.mkdtemp(prefix="atelier-slurm.", dir="/tmp"))    # Unix sockets: no deep folder
        cls.addClassCleanup(shutil.rmtree, folder, ignore_errors=True)
        cls.cluster = slurm_cluster.SlurmCluster(folder)
        cls.addClassCleanup(cls.cluster.stop)

    def submit(self, *arguments, launcher="", nodes=1, tasks=3, most_on_a_node=3):
        """Starts `sbatch --wait`; its exit code is the job's."""
        environment = dict(self.cluster.environment, ATELIER_PROGRAM=support.program(), ATELIER_LAUNCHER=launcher)
        command = ["sbatch", "--wait", "--parsable", f"--nodes={nodes}", f"--ntasks={tasks}",
                   f"--ntasks-per-node={most_on_a_node}", f"--output={self.path('log')}", "slurm/atelier.sbatch",
                   *map(str, arguments)]
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, text=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.kill)
        return process

    def log(self):
        path = self.path("log")
        return path.read_text(errors="replace") if path.exists() else ""

    def finish(self, process):
        try:
            return process.wait(90)
        except subprocess.TimeoutExpired:
            self.fail(f"hangs: the job is not done after 90 s\n{self.log()}")

    def need(self, launcher):
        if launcher == "srun" and "pmix" not in self.cluster.run("srun", "--mpi=list").stdout:
            self.skipTest("this Slurm has no pmix plugin: srun cannot start MPI ranks")

    def check_same_file(self, launcher, nodes):
        """As many workers on each node, and the root on the first: 3 tasks on one, 5 on two."""
        self.need(launcher)
        tasks = 2 * nodes + 1
        clip = test_clip(self.path("clip.mp4"))
        self.run_done("--config", ROOT / "jobs" / "demo.cfg", *IDENTITY, "--input", clip, "--output", self.path("one.mp4"),
                      cwd=ROOT)
        code = self.finish(self.submit("--input", clip, "--output", self.path("many.mp4"), *IDENTITY, "--record",
                                       self.path("job.h5"), launcher=launcher, nodes=nodes, tasks=tasks))
        self.assertEqual(code, 0, self.log())
        self.assertGreater(self.path("one.mp4").stat().st_size, 1000)
        self.assertEqual(self.path("many.mp4").read_bytes() == self.path("one.mp4").read_bytes(), True, self.log())
        self.assertNotIn("\x1b", self.log(), "a progress bar in a log file")
        import h5py
        with h5py.File(self.path("job.h5")) as record:
            self.assertEqual(record["job"].attrs["launcher"], "slurm" if launcher == "srun" else "mpirun")
            ranks = sorted((int(row["rank"]), row["host"]) for row in record["ranks"][:])
        self.assertEqual([rank for rank, _ in ranks], list(range(tasks)))
        if self.cluster.nodes_have_names:
            self.assertEqual([host.decode() for _, host in ranks], ["n1"] * 3 + ["n2"] * (tasks - 3))

    def test_srun_one_node(self):
        self.check_same_file("srun", nodes=1)

    def test_srun_two_nodes(self):
        self.check_same_file("srun", nodes=2)

    def test_mpirun_two_nodes(self):
        self.check_same_file("mpirun", nodes=2)

    def test_bad_input_is_exit_code_2(self):
        code = self.finish(self.submit("--input", self.path("missing.mp4"), "--output", self.path("out.mp4"), *IDENTITY))
        self.assertEqual(code, 2, self.log())
        self.assertIn("atelier: error:", self.log())
        self.assertFalse(self.path("out.mp4").exists())

    def check_signal(self, launcher):
        """What --signal=B:USR1@120 sends, sent now."""
        self.need(launcher)
        clip = test_clip(self.path("clip.mkv"), seconds=60, size="640x360", sound=False)
        process = self.submit("--input", clip, "--output", self.path("out.mp4"), "--engine", "identity", "--preset",
                              "veryslow", "--progress", "json", launcher=launcher)
        job = process.stdout.readline().strip()
        self.assertRegex(job, r"^\d+$")
        end = time.monotonic() + 60
        while '"state":"running"' not in self.log():
            self.assertLess(time.monotonic(), end, f"the job does not run\n{self.log()}")
            self.assertIsNone(process.poll(), self.log())
            time.sleep(0.2)
        self.cluster.run("scancel", "--batch", "--signal=USR1", job)
        self.assertEqual(self.finish(process), 75, self.log())
        self.assertIn("atelier: error: interrupted", self.log())
        self.assertFalse(self.path("out.mp4").exists())
        self.assertEqual([path.name for path in self.folder.glob("*.part")], [])

    def test_signal_through_srun(self):
        self.check_signal("srun")

    def test_signal_through_mpirun(self):
        self.check_signal("mpirun")


if __name__ == "__main__":
    unittest.main()
