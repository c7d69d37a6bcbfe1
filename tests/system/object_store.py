"""A mounted object store for tests: rclone's FUSE mount without a cache, as strict as those of cloud stores, of a folder, of
memory, or of an S3 server on this machine.

Files there are written front to back and closed once: earlier offsets, appending, opening for reading and writing, and a
fork while a file is being written all fail. Needs rclone, fusermount3 and /dev/fuse.
"""
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path


def why_not():
    """Why nothing can be mounted here; empty where it can."""
    missing = [name for name in ("rclone", "fusermount3") if not shutil.which(name)]
    if missing:
        return f"{', '.join(missing)} missing (scripts/setup --tests installs it)"
    return "" if os.access("/dev/fuse", os.R_OK | os.W_OK) else "/dev/fuse cannot be opened"


def why_no_s3():
    """Why there is no S3 server to mount; empty where there is one."""
    lacks = [name for name in ("moto", "boto3", "flask_cors") if importlib.util.find_spec(name) is None]
    return why_not() or (f"{', '.join(lacks)} missing in Python (scripts/setup --tests installs it)" if lacks else "")


class S3Server:
    """moto's S3 on a port of this machine, with one bucket."""

    def __init__(self, log):
        with socket.socket() as chosen:
            chosen.bind(("127.0.0.1", 0))
            port = chosen.getsockname()[1]
        self.process = subprocess.Popen([sys.executable, "-B", Path(__file__).with_name("s3_server.py"), str(port)],
                                        stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        endpoint = f"http://127.0.0.1:{port}"
        self.config = ("[s3]\ntype = s3\nprovider = Other\naccess_key_id = a\nsecret_access_key = b\n"
                       f"endpoint = {endpoint}\nforce_path_style = true\nregion = us-east-1\n")
        self.wait_for(port)
        import boto3  # only here: the other backends do without
        client = boto3.client("s3", endpoint_url=endpoint, aws_access_key_id="a", aws_secret_access_key="b",
                              region_name="us-east-1")
        client.create_bucket(Bucket="bucket")

    def wait_for(self, port):
        end = time.monotonic() + 30
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                return
            except OSError:
                if self.process.poll() is not None or time.monotonic() > end:
                    self.close()
                    raise
                time.sleep(0.1)

    def close(self):
        self.process.kill()
        self.process.wait()


class ObjectStore:
    """A bucket, mounted at .path. backend: local (files in a folder), memory (renames by copying) or s3 (likewise)."""

    def __init__(self, folder, backend="local"):
        self.folder = Path(folder)
        self.path = self.folder / "mount"
        for name in ("mount", "store", "cache"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        self.log = (self.folder / "log").open("w+")
        self.server = S3Server(self.log) if backend == "s3" else None
        (self.folder / "rclone.conf").write_text(self.server.config if self.server else "")
        remote = {"local": str(self.folder / "store"), "memory": ":memory:bucket", "s3": "s3:bucket"}[backend]
        env = {name: value for name, value in os.environ.items() if name != "AWS_CA_BUNDLE"}  # rclone 1.60 fails with it
        self.process = subprocess.Popen(
            ["rclone", "--config", self.folder / "rclone.conf", "--cache-dir", self.folder / "cache", "mount", remote,
             self.path, "--vfs-cache-mode", "off", "--dir-cache-time", "1s", "--poll-interval", "0", "--attr-timeout", "0",
             "--low-level-retries", "2", "--retries", "1"],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, start_new_session=True, env=env)
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
        if self.server:
            self.server.close()
        self.log.close()
