"""What the system tests share: running atelier on any number of ranks, making clips, looking at videos.

Environment: ATELIER, path of the program (needed); ATELIER_SHARED, folder with real clips (optional).
"""
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import h5py
import numpy as np

ROOT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("ATELIER_SHARED", ROOT.parent / "shared"))
CLIPS = SHARED / "data" / "clips"
STYLE = ROOT / "styles" / "mosaic.jpg"
# Without TCP: Debian 13's Open MPI complains on stderr where it finds no way between interfaces of one machine.
MPIRUN = ["mpirun", "--allow-run-as-root", "--oversubscribe", "--bind-to", "none", "--mca", "btl", "^tcp"]
# What launchers set: a test that itself runs below one must not look like a rank.
LAUNCHER_VARIABLES = ("OMPI_", "PMI_", "PMIX_", "SLURM_", "ATELIER_")


def status_name(output):
    """The file that says how far a job is; it stays beside the output, and says at last how the job ended."""
    return f"{Path(output).name}.status.json"


def program():
    path = os.environ.get("ATELIER", "")
    if not path or not Path(path).exists():
        sys.exit("Set ATELIER to the program to test, for example ATELIER=build/release/atelier.")
    return str(Path(path).resolve())


@dataclass
class Finished:
    code: int
    out: str
    err: str

    def errors(self):
        return [line for line in self.err.splitlines() if line.startswith("atelier: error:")]

    def warnings(self):
        """Also those for which a progress bar made room."""
        lines = (line.rsplit("\x1b[K", 1)[-1].strip() for line in self.err.splitlines())
        return [line for line in lines if line.startswith("atelier: warning:")]


def run_process(command, timeout_s=120, env=None, cwd=None, **more):
    """Runs to the end or kills the whole group and fails."""
    process = subprocess.Popen([str(part) for part in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True, errors="replace", env=env, cwd=cwd,
                               start_new_session=True, **more)
    try:
        out, err = process.communicate(timeout=timeout_s)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        out, err = process.communicate()
        raise AssertionError(f"hangs: not done after {timeout_s} s: {' '.join(map(str, command))}\n{err}") from None
    return Finished(process.returncode, out, err)


def clean_environment(extra=None):
    env = {key: value for key, value in os.environ.items() if not key.startswith(LAUNCHER_VARIABLES)}
    env.update(extra or {})
    return env


def atelier(*arguments, ranks=1, timeout_s=120, env=None, **more):
    """Runs atelier: one rank without mpirun, more with it."""
    command = ([] if ranks == 1 else [*MPIRUN, "-n", ranks]) + [program(), *arguments]
    return run_process(command, timeout_s=timeout_s, env=clean_environment(env), **more)


def tool(*command, timeout_s=120):
    """Output of a program that must succeed."""
    done = run_process(command, timeout_s=timeout_s)
    if done.code != 0:
        raise AssertionError(f"{' '.join(map(str, command))}\nended with {done.code}:\n{done.err}")
    return done.out


def ffmpeg(*arguments):
    tool("ffmpeg", "-v", "error", "-nostdin", "-y", *arguments)


def local_network():
    """Variables that keep mpirun's own connections on this machine. Open MPI 5 never uses the loopback interface."""
    major = int(re.search(r"Open MPI\) (\d+)", tool("mpirun", "--version")).group(1))
    return {"OMPI_MCA_btl_tcp_if_include": "lo", **({"OMPI_MCA_oob_tcp_if_include": "lo"} if major < 5 else {})}


def ffmpeg_version():
    """The first number of its release."""
    return int(re.search(r"version n?(\d+)", tool("ffmpeg", "-version")).group(1))


def turned(path, output, degrees):
    """Copies a video so that players turn it, which way is the release's own."""
    before, after = (["-display_rotation", degrees], []) if ffmpeg_version() >= 6 else ([], ["-metadata:s:v", f"rotate={degrees}"])
    ffmpeg(*before, "-i", path, "-c", "copy", *after, output)
    return output


def has_encoder(name):
    listing = tool("ffmpeg", "-hide_banner", "-encoders")
    return any(line.split()[1:2] == [name] for line in listing.splitlines())


def probe(path, *arguments):
    return json.loads(tool("ffprobe", "-v", "error", "-of", "json", *arguments, path))


def streams(path, kind=None):
    found = probe(path, "-show_streams", "-show_entries", "stream")["streams"]
    return [stream for stream in found if kind is None or stream["codec_type"] == kind]


def is_cover(stream):
    return stream.get("disposition", {}).get("attached_pic") == 1


def styled_stream(path):
    """The video stream that atelier chooses where all have frames and belong to one programme."""
    videos = [stream for stream in streams(path, "video") if not is_cover(stream)]
    return max(videos, key=lambda s: (s["disposition"]["default"], s["width"] * s["height"], -s["index"]))


def frame_times_s(path, index):
    """pts of every frame of a stream that ffprobe lists, in seconds, exact; FFmpeg's guess where it has none."""
    time_base = Fraction(next(s["time_base"] for s in streams(path) if s["index"] == index))
    frames = probe(path, "-select_streams", index, "-show_frames", "-show_entries", "frame=best_effort_timestamp")["frames"]
    return [int(frame["best_effort_timestamp"]) * time_base for frame in frames]


def packets(path, index):
    """(hash of the bytes, pts in seconds) of every packet of a stream."""
    time_base = Fraction(next(s["time_base"] for s in streams(path) if s["index"] == index))
    found = probe(path, "-select_streams", index, "-show_packets", "-show_data_hash", "md5",
                  "-show_entries", "packet=pts,data_hash").get("packets", [])
    return [(packet["data_hash"], int(packet["pts"]) * time_base if "pts" in packet else None) for packet in found]


# Bytes of a component by FFmpeg's name of the format: words for all that say more than 8 bit.
WORD_MARKS = ("9le", "10le", "12le", "14le", "16le", "48le", "64le")


def decoded(path, index, pixel_format=None):
    """All samples of a stream's frames, one array; in pixel_format (default: as decoded)."""
    own = next(s for s in streams(path) if s["index"] == index)["pix_fmt"]
    pixel_format = pixel_format or own
    with tempfile.TemporaryDirectory() as folder:
        raw = Path(folder, "raw")
        ffmpeg("-noautorotate", "-copyts", "-i", path, "-map", f"0:{index}", "-fps_mode", "passthrough", "-f", "rawvideo",
               *(["-pix_fmt", pixel_format] if pixel_format != own else []), raw)
        return np.fromfile(raw, dtype="<u2" if pixel_format.endswith(WORD_MARKS) else np.uint8)


def largest_difference(a, b):
    return int(np.abs(a.astype(np.int32) - b.astype(np.int32)).max()) if a.size else 0


class SystemTest(unittest.TestCase):
    """A test with a folder of its own, removed afterwards."""
    maxDiff = None
    parent = None  # of the folder; the system's place for temporary files if not given

    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="atelier-test.", dir=self.parent))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def path(self, name):
        return self.folder / name

    def assert_done(self, finished):
        self.assertEqual(finished.code, 0, finished.err)
        self.assertEqual(finished.errors(), [], finished.err)

    def assert_one_error(self, finished, code):
        """The exit code and one line `atelier: error: problem …`."""
        self.assertEqual(finished.code, code, finished.err)
        self.assertEqual(len(finished.errors()), 1, finished.err)
        self.assertGreater(len(finished.errors()[0]), len("atelier: error: ") + 10)
        self.assertNotIn("terminate called", finished.err)

    def in_background(self, command):
        """Started in a process group of its own, ended with the test; what it says: said(process)."""
        log = tempfile.TemporaryFile("w+")
        self.addCleanup(log.close)
        process = subprocess.Popen([str(part) for part in command], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                   env=clean_environment(), start_new_session=True)
        process.log = log
        self.addCleanup(self.end, process)
        return process

    @staticmethod
    def end(process):
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    @staticmethod
    def said(process):
        process.log.seek(0)
        return process.log.read()

    def run_done(self, *arguments, **more):
        finished = atelier("run", *arguments, **more)
        self.assert_done(finished)
        return finished

    def contents(self):
        """Every file and folder in the test's folder, with size and time of change."""
        return {str(path.relative_to(self.folder)): (path.stat().st_size, path.stat().st_mtime_ns)
                for path in sorted(self.folder.rglob("*"))}


def attribute(record, name):
    """What the record of a job says of it."""
    with h5py.File(record) as file:
        return file["job"].attrs[name]


def events(record, kind):
    """The texts of a record's events of a kind."""
    with h5py.File(record) as file:
        found = file["events"][:] if "events" in file else []
    return [row["text"].decode() for row in found if row["kind"].decode() == kind]


def test_clip(path, seconds=2, size="128x72", rate=24, sound=True, codec=("libx264", "-preset", "veryfast")):
    """A moving picture with sound."""
    inputs = ["-f", "lavfi", "-i", f"testsrc2=size={size}:rate={rate}:duration={seconds}"]
    if sound:
        inputs += ["-f", "lavfi", "-i", f"sine=frequency=440:duration={seconds}"]
    ffmpeg(*inputs, "-pix_fmt", "yuv420p", "-c:v", *codec, *(["-c:a", "aac"] if sound else []), path)
    return path
