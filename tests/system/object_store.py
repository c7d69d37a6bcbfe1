"""A mounted object store for tests: rclone's FUSE mount without a cache, as strict as those of cloud stores.

Files there are written front to back and closed once: earlier offsets, appending, opening for reading and writing, and a
fork while a file is being written all fail. Needs rclone, fusermount3 and /dev/fuse.
"""
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path


def why_not():
    """Why nothing can be mounted here; empty where it can."""
    missing = [name for name in ("rclone", "fusermount3") if not shutil.which(name)]
    if missing:
        return f"{', '.join(missing)} missing (scripts/setup --tests installs it)"
    return "" if os.access("/dev/fuse", os.R_OK | os.W_OK) else "/dev/fuse cannot be opened"


class ObjectStore:
    """A bucket, mounted at .path. backend: local (files in a folder) or memory (renames by copying)."""

    def __init__(self, folder, backend="local"):
        self.folder = Path(folder)
        self.path = self.folder / "mount"
        for name in ("mount", "store", "cache"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        (self.folder / "rclone.conf").touch()
        remote = {"local": str(self.folder / "store"), "memory": ":memory:bucket"}[backend]
        self.log = (self.folder / "log").open("w+")
        self.process = subprocess.Popen(
            ["rclone", "--config", self.folder / "rclone.conf", "--cache-dir", self.folder / "cache", "mount", remote,
             self.path, "--vfs-cache-mode", "off", "--dir-cache-time", "1s", "--poll-interval", "0", "--attr-timeout", "0",
             "--low-level-retries", "2", "--retries", "1"],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, start_new_session=True)
        end = time.monotonic() + 20
        while not os.path.ismount(self.path):
            if self.process.poll() is not None or time.monotonic() > end:
                self.close()
                raise OSError(f"rclone does not mount:\n{self.said()}")
            time.sleep(0.05)

    def said(self):
        self.log.flush()
        return (self.folder / "log").read_text()

    def kill(self):
        """The mount's process dies; every access then gives ENOTCONN."""
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def close(self):
        subprocess.run(["fusermount3", "-u", "-z", "-q", self.path], check=False, stdin=subprocess.DEVNULL)
        if self.process.poll() is None:
            try:
                self.process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.log.close()
