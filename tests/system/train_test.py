"""atelier train: folders of pictures → packed set → weights that atelier run takes. The loss network is random."""
import json
import shutil
import struct
import subprocess
import time
import unittest

import numpy as np

from support import ROOT, STYLE, SystemTest, atelier, program, styled_stream, test_clip
from weights import write_safetensors


def metadata(path):
    data = path.read_bytes()
    return json.loads(data[8:8 + struct.unpack("<Q", data[:8])[0]])["__metadata__"]


def loss_network():
    """Random weights in the shapes of SqueezeNet 1.1."""
    random = np.random.default_rng(1)
    shapes = {"conv1": (64, 3, 3, 3)}
    for name, width, squeezed, half in (("fire2", 64, 16, 64), ("fire3", 128, 16, 64), ("fire4", 128, 32, 128),
                                        ("fire5", 256, 32, 128)):
        shapes |= {f"{name}.squeeze1x1": (squeezed, width, 1, 1), f"{name}.expand1x1": (half, squeezed, 1, 1),
                   f"{name}.expand3x3": (half, squeezed, 3, 3)}
    tensors = {}
    for name, shape in shapes.items():
        tensors[f"{name}.weight"] = random.normal(0, (2 / np.prod(shape[1:])) ** 0.5, shape)
        tensors[f"{name}.bias"] = np.zeros(shape[0])
    return tensors


class Train(SystemTest):
    def setUp(self):
        super().setUp()
        self.styles, self.photos = self.path("styles"), self.path("photos")
        for folder, names in ((self.styles, ("mosaic", "ink-wash")), (self.photos, ("woodcut-waves", "pointillist-dusk"))):
            folder.mkdir()
            for name in names:
                shutil.copy(ROOT / "styles" / f"{name}.jpg", folder)
        self.loss = self.path("loss.safetensors")
        write_safetensors(self.loss, loss_network())

    def train(self, *options, **more):
        return atelier("train", "--loss-network", self.loss, "--size", "32", "--batch", "2", "--iterations", "2",
                       *options, **more)

    def test_folders_and_the_packed_set_give_the_same_weights_and_run_takes_them(self):
        (self.styles / "no-picture.jpg").write_text("words")
        folders = ("--styles", self.styles, "--photos", self.photos, "--packed-side", "64")
        direct, packed = self.path("direct.safetensors"), self.path("packed.safetensors")
        finished = self.train(*folders, "--output", direct)
        self.assert_done(finished)
        self.assertEqual(sum("no-picture.jpg" in line for line in finished.warnings()), 1, finished.err)
        self.assert_done(atelier("train", *folders, "--pack", self.path("set")))
        self.assert_done(self.train("--packed", self.path("set"), "--output", packed))
        self.assertEqual(direct.read_bytes(), packed.read_bytes())
        self.assertEqual(metadata(direct)["network"], "atelier-adaptive-2")
        self.assertEqual(metadata(direct)["iterations"], "2")

        clip, out = test_clip(self.path("clip.mkv"), seconds=0.2), self.path("out.mkv")
        self.run_done("--input", clip, "--output", out, "--engine", "adaptive", "--model", direct, "--style", STYLE)
        self.assertEqual(styled_stream(out)["width"], 128)

    def test_a_training_that_was_interrupted_resumes_to_the_same_weights(self):
        folders = ("--styles", self.styles, "--photos", self.photos, "--packed-side", "64", "--loss-network", self.loss)
        options = ("--size", "32", "--batch", "2", "--iterations", "40", "--checkpoint-every", "5", "--log-every", "5")
        unbroken, broken = self.path("unbroken.safetensors"), self.path("broken.safetensors")
        self.assert_done(atelier("train", *folders, *options, "--output", unbroken))
        command = [program(), "train", *folders, *options, "--output", broken, "--resume"]
        started = subprocess.Popen([str(part) for part in command], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        deadline = time.monotonic() + 60
        while not broken.exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        started.terminate()
        said = started.communicate(timeout=60)[1]
        self.assertEqual(started.returncode, 75, said)
        self.assertIn("Run the same command with --resume", said)
        resumed = atelier(*command[1:])
        self.assert_done(resumed)
        self.assertIn("resumes after iteration", resumed.err)
        self.assertEqual(broken.read_bytes(), unbroken.read_bytes())
        rows = self.path("broken.csv").read_text().splitlines()
        self.assertEqual([row.split(",")[0] for row in rows[-3:]], ["30", "35", "40"])

    def test_bad_use_ends_before_the_work(self):
        good = {"--styles": self.styles, "--photos": self.photos, "--output": self.path("w")}
        empty = self.path("empty")
        empty.mkdir()
        for option, value in (("--styles", empty), ("--photos", self.path("missing")), ("--size", "33"),
                              ("--output", self.path("missing/w")), ("--packed", self.loss), ("--start", self.loss),
                              ("--loss-network", STYLE), ("--colour", "red"), ("--batch", "many")):
            with self.subTest(option=option):
                given = {"--loss-network": self.loss, "--iterations": "2", **good, option: value}
                before = self.contents()
                self.assert_one_error(atelier("train", *(part for pair in given.items() for part in pair)), 2)
                self.assertEqual(self.contents(), before, "something was written")


if __name__ == "__main__":
    unittest.main()
