"""Jobs over several machines: a real mpirun over TCP between network namespaces; ranks, machines and cables that go."""
import json
import os
import shutil
import signal
import tempfile
import time
import unittest
from pathlib import Path

import machines
import support
from machines import KEEPALIVE, Machines
from support import STYLE, SystemTest, clean_environment, program, test_clip

NUM_FRAMES = 160
CHUNK_FRAMES = 8
SLOTS = (2, 1, 1)  # the root and rank 1 on node1, rank 2 on node2, rank 3 on node3
# Seconds until an unplugged machine's job has ended, and nothing of it is left.
LIMIT_S = 30


@unittest.skipIf(machines.why_not(), f"no network namespaces here: {machines.why_not()}")
class Network(SystemTest):
    @classmethod
    def setUpClass(cls):
        cls.shared = Path(tempfile.mkdtemp(prefix="atelier-test."))
        cls.addClassCleanup(shutil.rmtree, cls.shared, ignore_errors=True)
        cls.clip = test_clip(cls.shared / "clip.mp4", seconds=NUM_FRAMES / 20, size="320x180", rate=20)
        done = support.atelier("run", *cls.options(cls.shared / "reference.mp4"))
        if done.code != 0:
            raise AssertionError(done.err)
        cls.reference = (cls.shared / "reference.mp4").read_bytes()

    @classmethod
    def options(cls, output):
        return ["--input", cls.clip, "--output", output, "--style", STYLE, "--chunk-frames", CHUNK_FRAMES]

    def setUp(self):
        super().setUp()
        self.output = self.path("out.mp4")
        self.work = self.path("out.mp4.atelier")
        self.machines = Machines(self.path("machines"), len(SLOTS))
        self.addCleanup(self.machines.close)

    def start(self, *more, mpi=()):
        """The job in the background, on all machines."""
        command = [*self.machines.mpirun(SLOTS, *mpi), program(), "run", *self.options(self.output), *more]
        return self.in_background(command)

    def wait_for(self, condition, process, timeout_s, alive=True):
        end = time.monotonic() + timeout_s
        while not condition():
            if alive:
                self.assertIsNone(process.poll(), self.said(process))
            self.assertLess(time.monotonic(), end, f"took more than {timeout_s} s:\n{self.said(process)}\n"
                                                   f"{ {name: self.machines.processes(name) for name in self.machines.names} }")
            time.sleep(0.05)

    def started(self, *more, **other):
        """The job in the background, when some of it is stored."""
        process = self.start(*more, **other)
        self.wait_for(lambda: len(list(self.work.glob("segments/*.seg"))) >= 3, process, 90)
        return process

    def left(self):
        return {name: found for name in self.machines.names if (found := self.machines.processes(name))}

    def errors(self, process):
        return [line for line in self.said(process).splitlines() if line.startswith("atelier: error:")]

    def assert_lost(self, process, who):
        """The root's sentence, once, also in the state."""
        errors = self.errors(process)
        self.assertEqual(len(errors), 1, self.said(process))
        self.assertIn(f"error: {who} is gone (", errors[0])
        self.assertIn("Run the same command again", errors[0])
        state = json.loads((self.work / "state.json").read_text())
        self.assertEqual((state["status"], state["exit_code"]), ("failed", 1))
        self.assertEqual(f"atelier: error: {state['message']}", errors[0])
        self.assertFalse(self.output.exists())

    def assert_goes_on(self):
        """The same command on the same machines, or on one rank."""
        process = self.start()
        self.assertEqual(process.wait(timeout=120), 0, self.said(process))
        self.assertIn("goes on from an earlier start", self.said(process))
        self.assertEqual(self.output.read_bytes() == self.reference, True)
        self.assertFalse(self.work.exists())

    def test_same_bytes_as_one_rank(self):
        for more in ((), ("--encode", "root")):
            with self.subTest(more):
                process = self.start(*more, "--record", self.path("r.h5"))
                self.assertEqual(process.wait(timeout=120), 0, self.said(process))
                self.assertEqual(self.output.read_bytes() == self.reference, True)
                report = support.atelier("report", self.path("r.h5"))
                for name in self.machines.names:
                    self.assertIn(name, report.out)
                self.output.unlink()
        self.assertEqual(self.left(), {})

    def test_rank_on_another_machine_is_killed(self):
        process = self.started()
        os.kill(self.machines.ranks("node3")[0], signal.SIGKILL)
        self.assertNotEqual(process.wait(timeout=LIMIT_S), 0)
        self.assert_lost(process, "rank 3 on node3")
        self.wait_for(lambda: not self.left(), process, 10, alive=False)
        self.assert_goes_on()

    def test_rank_beside_the_root_is_killed(self):
        process = self.started()
        os.kill(self.machines.ranks("node1")[1], signal.SIGKILL)
        self.assertNotEqual(process.wait(timeout=LIMIT_S), 0)
        self.assert_lost(process, "rank 1 on node1")
        self.wait_for(lambda: not self.left(), process, 10, alive=False)

    def test_machine_is_killed(self):
        process = self.started()
        self.machines.kill("node2")
        self.assertNotEqual(process.wait(timeout=LIMIT_S), 0)
        self.assert_lost(process, "rank 2 on node2")
        self.wait_for(lambda: not self.left(), process, 10, alive=False)
        self.assert_goes_on()

    def test_machine_is_unplugged(self):
        """With what docs/running.md advises for mpirun and the machines."""
        self.machines.set_tcp_retries(5)
        process = self.started(mpi=KEEPALIVE)
        began = time.monotonic()
        self.machines.unplug("node2")
        self.assertNotEqual(process.wait(timeout=LIMIT_S), 0)
        self.wait_for(lambda: not self.left(), process, LIMIT_S - (time.monotonic() - began), alive=False)
        self.assert_lost(process, "rank 2 on node2")
        self.machines.plug_in("node2")
        self.assert_goes_on()

    def test_machine_is_unplugged_and_nothing_was_set(self):
        """All ranks end by themselves; what stays is Open MPI's own, which waits for minutes."""
        process = self.started("--rank-timeout", 12)
        began = time.monotonic()
        self.machines.unplug("node2")
        self.wait_for(lambda: self.errors(process), process, LIMIT_S)
        self.wait_for(lambda: not any(self.machines.ranks(name) for name in self.machines.names), process,
                      LIMIT_S - (time.monotonic() - began), alive=False)
        self.end(process)
        for name in self.machines.names:
            self.machines.kill(name)
        self.assert_lost(process, "rank 2 on node2")
        self.machines.plug_in("node2")
        self.assert_goes_on()

    def test_somebody_ends_the_job(self):
        """TERM to mpirun: nobody is taken for lost."""
        process = self.started()
        pid = next(pid for pid, command in self.machines.processes("node1").items() if command == "mpirun")
        os.kill(pid, signal.SIGTERM)
        process.wait(timeout=LIMIT_S)
        state = json.loads((self.work / "state.json").read_text())
        self.assertEqual((state["status"], state["exit_code"]), ("interrupted", 75))
        self.assertNotIn("gone", self.said(process))

    def test_host_that_does_not_exist(self):
        command = self.machines.mpirun(SLOTS)
        hosts = command.index("--host") + 1
        command[hosts] = command[hosts].replace("node3", "node9")
        done = support.run_process([*command, program(), "run", *self.options(self.output)], timeout_s=60,
                                   env=clean_environment())
        self.assertNotEqual(done.code, 0)
        self.assertIn("node9", done.err)
        self.assertEqual(sorted(path.name for path in self.folder.iterdir()), ["machines"])
        self.assertEqual(self.left(), {})


if __name__ == "__main__":
    unittest.main()
