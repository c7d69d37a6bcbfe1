"""A Slurm cluster of two nodes on this machine, for one test: slurmctld, slurmd and munged in a folder of its own.

Needs Debian's slurm-wlm and munge. Every daemon listens on free ports of the loopback interface and keeps its state in
the folder; nothing outside it is read or changed. As root each node has its own host name and /dev/shm; else all share
them, and Open MPI is told to use TCP only.
"""
import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

NEEDED = ("sbatch", "srun", "scancel", "slurmctld", "slurmd", "munged")
CONFIG = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket,cred_expire=5
CredType=cred/munge
SlurmUser={user}
SlurmdUser={user}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
TmpFS={folder}/tmp-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
ProctrackType=proctrack/linuxproc
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SlurmdParameters=config_overrides
SchedulerParameters=batch_sched_delay=0,sched_min_interval=100000,bf_interval=2
KillWait=3
ReturnToService=2
NodeName=n[1-2] NodeHostname={host} NodeAddr=127.0.0.1 Port=[{first}-{last}] CPUs=4 RealMemory=1000
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


def program(name):
    return shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


def why_not():
    """Why no cluster can be started here, or an empty string."""
    missing = [name for name in NEEDED if program(name) is None]
    if missing:
        return f"no {', '.join(missing)} (Debian packages slurm-wlm and munge)"
    # A chroot often has none; slurmd then refuses to start.
    return "" if os.path.ismount("/sys/fs/cgroup") else "nothing is mounted on /sys/fs/cgroup"


def free_ports(number):
    """The first of so many consecutive free ports."""
    for first in range(21000 + os.getpid() % 7000, 32000):
        sockets = []
        try:
            for port in range(first, first + number):
                sockets.append(socket.socket())
                sockets[-1].bind(("127.0.0.1", port))
            return first
        except OSError:
            continue
        finally:
            for opened in sockets:
                opened.close()
    raise AssertionError("no free ports")


class SlurmCluster:
    """folder: an empty one of this cluster's own, at most 60 characters long (Unix sockets lie in it)."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.processes = []
        assert len(str(folder)) <= 60, folder
        self.environment = {key: value for key, value in os.environ.items()
                            if not key.startswith(("SLURM_", "OMPI_", "PMI_", "PMIX_", "ATELIER_", "SBATCH_"))}
        self.environment.update(SLURM_CONF=str(self.folder / "slurm.conf"), OMPI_MCA_btl_tcp_if_include="lo",
                                OMPI_MCA_oob_tcp_if_include="lo", OMPI_ALLOW_RUN_AS_ROOT="1",
                                OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    def _spawn(self, name, *command):
        with open(self.folder / f"{name}.out", "wb") as log:
            self.processes.append(subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                                   env=self.environment, start_new_session=True))

    def _start(self):
        host = socket.gethostname().split(".")[0]
        user = pwd.getpwuid(os.getuid()).pw_name
        port = free_ports(3)
        folder = self.folder
        folder.chmod(0o755)
        for name in ("state", "spool-n1", "spool-n2", "tmp-n1", "tmp-n2"):
            (folder / name).mkdir()
        key = folder / "munge-key"
        key.mkdir(mode=0o700)
        (key / "key").write_bytes(os.urandom(128))
        (key / "key").chmod(0o400)
        (folder / "slurm.conf").write_text(CONFIG.format(host=host, port=port, folder=folder, user=user, first=port + 1,
                                                         last=port + 2))
        self._spawn("munged", program("munged"), "-F", f"--key-file={key}/key", f"--socket={folder}/munge.socket",
                    f"--pid-file={folder}/munged.pid", f"--log-file={folder}/munged.log", f"--seed-file={key}/seed")
        self._wait("munged", lambda: (folder / "munge.socket").exists())
        self._spawn("slurmctld", program("slurmctld"), "-D", "-i")
        apart = ["unshare", "-um", "--propagation", "slave"]
        self.nodes_have_names = subprocess.run([*apart, "true"], stderr=subprocess.DEVNULL, timeout=10).returncode == 0
        if self.nodes_have_names:
            node = [*apart, "sh", "-c", 'hostname "$1" && mount -t tmpfs tmpfs /dev/shm && exec "$0" -D -N "$1"']
        else:
            node = ["sh", "-c", 'exec "$0" -D -N "$1"']
            self.environment["OMPI_MCA_btl"] = "self,tcp"
        for name in ("n1", "n2"):
            self._spawn(name, *node, program("slurmd"), name)
        self._wait("nodes", lambda: self.run("sinfo", "-h", "-N", "-t", "idle", "-o", "%N").stdout.split() == ["n1", "n2"])

    def _wait(self, what, ready, limit_s=30):
        end = time.monotonic() + limit_s
        while not ready():
            if time.monotonic() > end:
                logs = "\n".join(f"--- {log.name}\n{log.read_text(errors='replace')[-1500:]}"
                                 for log in sorted(self.folder.glob("*.log")) + sorted(self.folder.glob("*.out")))
                raise AssertionError(f"Slurm does not start ({what}):\n{logs}")
            time.sleep(0.1)

    def run(self, *command, timeout_s=20, **more):
        """A client command such as sinfo; its output is text."""
        return subprocess.run([str(part) for part in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, errors="replace", env=self.environment,
                              timeout=timeout_s, **more)

    def stop(self):
        try:
            self.run("scancel", "-f", "-u", str(os.getuid()))
            end = time.monotonic() + 15
            while self.run("squeue", "-h").stdout.strip() and time.monotonic() < end:
                time.sleep(0.2)
        except (OSError, subprocess.TimeoutExpired):
            pass
        for process in reversed(self.processes):
            process.terminate()
        for process in reversed(self.processes):
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._kill_left_over()

    def _kill_left_over(self):
        """Step daemons and job processes are nobody's children; their environment names this cluster's file."""
        mark = b"SLURM_CONF=" + os.fsencode(self.folder / "slurm.conf")
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                if int(entry.name) != os.getpid() and mark in (entry / "environ").read_bytes().split(b"\0"):
                    os.kill(int(entry.name), signal.SIGKILL)
            except OSError:
                continue
