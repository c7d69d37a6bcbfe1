"""Programs are told apart by the linker's build id, also two of one version and commit.

The other program is a copy whose build id has other bytes: for all that it tells of itself, other sources.
"""
import json
import re
import shutil
import unittest

import support
from support import SystemTest, attribute, program, run_process, test_clip


def build_id(path):
    return re.search("Build ID: ([0-9a-f]{40})", support.tool("readelf", "--notes", path)).group(1)


class BuildId(SystemTest):
    def other_program(self):
        own = bytes.fromhex(build_id(program()))
        other = bytes(byte ^ 0xff for byte in own)
        copy = self.path("other-atelier")
        shutil.copy(program(), copy)
        data = copy.read_bytes()
        self.assertEqual(data.count(own), 1)
        copy.write_bytes(data.replace(own, other))
        self.assertEqual(build_id(copy), other.hex())
        return copy

    def test_is_told(self):
        shown = f"build {build_id(program())[:16]})"
        self.assertIn(shown, support.tool(program(), "--version"))
        self.assertIn(shown, support.tool(program(), "info"))
        self.run_done("--input", test_clip(self.path("clip.mkv"), seconds=0.5), "--output", self.path("out.mkv"),
                      "--engine", "identity", "--record", self.path("r.h5"))
        self.assertEqual(attribute(self.path("r.h5"), "build_id"), build_id(program()))

    def test_another_program_as_a_rank_is_refused(self):
        clip = test_clip(self.path("clip.mkv"), seconds=0.5)
        arguments = ("run", "--input", clip, "--output", self.path("out.mkv"), "--engine", "identity")
        finished = run_process([*support.MPIRUN, "-n", 2, program(), *arguments, ":", "-n", 1, self.other_program(), *arguments],
                               env=support.clean_environment())
        self.assert_one_error(finished, 2)
        self.assertIn("rank 2 on", finished.err)
        self.assertIn("runs another program", finished.err)
        self.assertFalse(self.path("out.mkv").exists())

    def test_another_program_does_not_resume(self):
        """It begins anew and says why; the program itself resumes."""
        clip = test_clip(self.path("clip.mkv"), seconds=4)
        arguments = ("run", "--input", clip, "--output", self.path("out.mkv"), "--engine", "simulated", "--simulated-ms", 40,
                     "--chunk-frames", 4)
        self.assertEqual(support.atelier(*arguments, "--max-time", 1).code, 75)
        own = support.atelier(*arguments, "--max-time", 1)
        self.assertEqual(own.code, 75)
        self.assertIn("goes on from an earlier start", own.err)
        settings = dict(json.loads(self.path("out.mkv.atelier/state.json").read_text())["settings"])
        self.assertIn(f"build {build_id(program())[:16]})", settings["program"])
        self.assertRegex(settings["codec libraries"], r"libavcodec\.so\.\d+ [0-9a-f]{16}.*libx264\.so\.\d+ [0-9a-f]{16}")
        other = run_process([self.other_program(), *arguments], env=support.clean_environment())
        self.assert_done(other)
        self.assertRegex(other.err, "begins anew: .*program")


if __name__ == "__main__":
    unittest.main()
