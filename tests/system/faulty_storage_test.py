"""Storage that fails for a while, or for good, as network file systems and mounted object stores do: quota, input/output
errors, stale handles, lost connections; and slow storage, while which signals come. Errors and delays are injected at the C
library (faulty_storage.c).

Environment: ATELIER_SIGNALS=all sends every signal at every moment to everyone.
"""
import errno
import itertools
import os
import shutil
import signal
import subprocess
import time
import unittest

import resume_test
import support

ERRORS = (errno.EIO, errno.ESTALE, errno.ENOTCONN, errno.EDQUOT, errno.ENOSPC)
# When, to whom, which, and whether twice.
SIGNALS = (("mux", "mpirun", signal.SIGUSR1, False), ("mux", "root", signal.SIGTERM, True),
           ("publish", "root", signal.SIGINT, False), ("publish", "mpirun", signal.SIGUSR1, True),
           ("publish", "mpirun", signal.SIGTERM, False))
if os.environ.get("ATELIER_SIGNALS") == "all":
    SIGNALS = tuple(itertools.product(("mux", "publish"), ("mpirun", "root"), (signal.SIGUSR1, signal.SIGTERM, signal.SIGINT),
                                      (False, True)))
COMPILER = shutil.which("cc") or shutil.which("gcc")


def fault_library(folder):
    """faulty_storage.c, to be loaded before the C library."""
    library = folder / "faulty_storage.so"
    source = support.ROOT / "tests" / "system" / "faulty_storage.c"
    subprocess.run([COMPILER, "-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o", library, source, "-ldl"], check=True)
    return library


@unittest.skipIf(COMPILER is None, "no C compiler")
class FaultyStorage(resume_test.Resume):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.library = fault_library(cls.shared)

    def run_faulty(self, pattern, error, after, count, ranks=1, output=None, **more):
        """The job, with the calls on files of this pattern that fail."""
        env = {"LD_PRELOAD": str(self.library), "FAULT_PATTERN": pattern, "FAULT_ERRNO": str(error),
               "FAULT_AFTER": str(after), "FAULT_COUNT": str(count), **more}
        return support.atelier("run", *self.options(self.clip, output or self.output), ranks=ranks, env=env)

    def test_killed_while_it_tidies_up(self):
        """The output has its name, and a part of the work directory is left."""
        record = self.path("r.h5")
        for after, ranks in ((0, 1), (7, 3), (resume_test.NUM_CHUNKS, 2)):
            with self.subTest(after=after):
                self.run_faulty("out.mp4.atelier/segments", 0, after, 1, ranks=ranks, FAULT_KILL="1")
                self.assertEqual(resume_test.state(self.work)["status"], "done")
                self.assertEqual(self.output.read_bytes() == self.reference, True)
                before = self.output.stat()
                done = self.go_on("--record", record, ranks=ranks)
                self.assertIn("was finished by an earlier start", done.err)
                self.assertEqual(self.output.stat().st_mtime_ns, before.st_mtime_ns)
                self.assert_whole(others=["r.h5"])
                self.output.unlink()
                record.unlink()

    def test_killed_while_it_tidies_up_and_then_called_otherwise(self):
        self.run_faulty("out.mp4.atelier/segments", 0, 3, 1, FAULT_KILL="1")
        changed = support.atelier("run", *self.options(self.clip, self.output), "--crf", 30, ranks=2)
        self.assert_one_error(changed, 2)
        self.assertIn("exists (an earlier start has finished it)", changed.err)
        status = self.folder / support.status_name("out.mp4")
        status.touch()  # the start may have been killed before it wrote one
        self.assert_whole()

    def test_short_faults_are_got_over(self):
        # The first two calls on a part are its trial at the start.
        places = (("/segments/", 7), ("/state-", 2), (".part", 0), (".part", 2), ("/segments/", 30))
        for (pattern, after), error in zip(places, ERRORS, strict=True):
            with self.subTest(pattern=pattern, after=after, error=os.strerror(error)):
                done = self.run_faulty(pattern, error, after, 2, ranks=2)
                self.assert_done(done)
                self.assert_whole()
                self.output.unlink()

    def test_renaming_that_was_done_and_failed(self):
        """As a network file system says where the answer to a request was lost: the file is there, its old name is not."""
        done = self.run_faulty(".part", errno.EIO, 5, 1, FAULT_DONE="1")  # after a trial; opening, writing, flushing
        self.assert_done(done)
        self.assert_whole()

    def test_lasting_faults_end_the_job_and_it_goes_on(self):
        places = (("/segments/", 7, 1), (".part", 2, 2), ("/segments/", 40, 3), (".part", 3, 1), ("/segments/", 11, 2))
        for (pattern, after, ranks), error in zip(places, ERRORS, strict=True):
            with self.subTest(pattern=pattern, after=after, ranks=ranks, error=os.strerror(error)):
                failed = self.run_faulty(pattern, error, after, 10**6, ranks=ranks)
                self.assert_one_error(failed, 1)
                self.assertIn("cannot write '", failed.err)
                self.assertIn(os.strerror(error), failed.err)
                self.assertIn("un the same command again", failed.err)
                self.assertFalse(self.output.exists())
                self.assertEqual(resume_test.state(self.work)["status"], "failed")
                self.assertIn("goes on from an earlier start", self.go_on().err)
                self.assert_whole()
                self.output.unlink()

    def test_only_what_may_pass_is_to_be_run_again(self):
        """At the trial of the name, and when the output is finished. What does not pass asks for another place, where the
        job goes on from what is stored."""
        for error, after, code, says in ((errno.EIO, 0, 1, "un the same command again"), (errno.EROFS, 0, 2, "another folder"),
                                         (errno.EINVAL, 0, 2, "another folder"), (errno.EINVAL, 2, 1, "--output; with the work"),
                                         (errno.EACCES, 2, 1, "Make it writable, or choose another with --output")):
            with self.subTest(error=os.strerror(error), after=after):
                failed = self.run_faulty(".part", error, after, 10**6)
                self.assert_one_error(failed, code)
                self.assertIn(os.strerror(error), failed.err)
                self.assertIn(says, failed.err)
                self.assertEqual("un the same command again" in failed.err, error == errno.EIO)
                self.assertEqual(self.work.exists(), after > 0)
        elsewhere = self.path("elsewhere.mp4")
        done = self.run_done(*self.options(self.clip, elsewhere), "--work-dir", self.work)
        self.assertIn(f"goes on from an earlier start: {resume_test.NUM_CHUNKS} chunks", done.err)
        self.assertEqual(elsewhere.read_bytes() == self.reference, True)

    def test_matroska(self):
        output = self.path("out.mkv")
        for error in ERRORS[:2]:
            with self.subTest(error=os.strerror(error)):
                failed = self.run_faulty(".part", error, 5, 10**6, ranks=2, output=output)
                self.assert_one_error(failed, 1)
                self.assertIn(os.strerror(error), failed.err)
                self.assertIn("un the same command again", failed.err)
                self.assertEqual([path.name for path in self.folder.iterdir() if path.name.endswith(".part")], [])
                done = self.run_done(*self.options(self.clip, output))
                self.assertIn("goes on from an earlier start", done.err)
                output.unlink()

    def start_slow(self, pattern, delay_ms):
        """The job on three ranks, in which each opening, write, flush and renaming of such files takes longer."""
        return self.in_background([*support.MPIRUN, "-n", 3, "-x", f"LD_PRELOAD={self.library}", "-x", f"FAULT_PATTERN={pattern}",
                                   "-x", f"FAULT_DELAY_MS={delay_ms}", support.program(), "run",
                                   *self.options(self.clip, self.output), "--stage-dir", self.stage])

    def is_muxing(self):
        return len(resume_test.segments(self.work)) == resume_test.NUM_CHUNKS and not self.parts()

    def parts(self):
        return list(self.folder.glob("out.mp4.*.part"))

    def is_publishing(self):
        """The name of the part file is tried at the start too."""
        return len(resume_test.segments(self.work)) == resume_test.NUM_CHUNKS and self.parts()

    def signal_while(self, moment, target, how, twice):
        """Gives the exit code and what was said."""
        pattern, delay_ms, condition = {"mux": ("/video.mp4", 60, self.is_muxing),
                                        "publish": (".part", 300, self.is_publishing)}[moment]
        process = self.start_slow(pattern, delay_ms)
        self.wait_for(condition, process)
        time.sleep(0.15)  # a segment's name is there before it is closed and counted
        ranks = self.ranks_of(process)
        victim = process.pid if target == "mpirun" else ranks[0]
        os.kill(victim, how)
        if twice and target == "mpirun" and how != signal.SIGUSR1:  # it tells the ranks when it likes
            time.sleep(0.3)
            process.send_signal(how)
        elif twice:
            self.wait_for(lambda: "interrupted; all is styled" in self.said(process), process)
            os.kill(victim, how)
        code = process.wait(timeout=60)
        self.wait_until_gone(ranks)
        return code, self.said(process)

    def test_signals_while_the_output_is_written(self):
        self.stage = self.path("stage")
        for moment, target, how, twice in SIGNALS:
            with self.subTest(moment=moment, target=target, how=how.name, twice=twice):
                shutil.rmtree(self.folder)
                self.stage.mkdir(parents=True)
                code, said = self.signal_while(moment, target, how, twice)
                errors = [line for line in said.splitlines() if line.startswith("atelier: error: ")]
                killed = target == "mpirun" and how != signal.SIGUSR1  # by mpirun, after 2 s
                if self.output.exists():
                    self.assertEqual(self.output.read_bytes() == self.reference, True)
                if twice and not killed:
                    self.assertEqual((code, len(errors)), (75, 1), said)
                    self.assertIn("Run the same command again", errors[0])
                elif not killed:
                    self.assertEqual((code, errors), (0, []), said)
                    self.assertIn("interrupted; all is styled", said)
                    self.assertFalse(self.work.exists())
                if self.work.exists():
                    found = resume_test.state(self.work)
                    tidying = killed and found["status"] == "done"
                    self.assertEqual((found["status"], found["exit_code"]), ("done", 0) if tidying else ("interrupted", 75), said)
                    done = self.go_on("--stage-dir", self.stage, ranks=2)
                    self.assertIn("was finished by an earlier start" if tidying else
                                  f"goes on from an earlier start: {resume_test.NUM_CHUNKS} chunks", done.err)
                self.assertEqual(list(self.stage.iterdir()), [])
                self.assert_whole(others=["stage"])


def load_tests(loader, _tests, _pattern):
    return resume_test.own_tests(loader, FaultyStorage)


if __name__ == "__main__":
    unittest.main()
