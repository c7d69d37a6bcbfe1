"""Machines for tests: Linux namespaces with a host name, a network card and shared memory of their own, on one switch.

Needs root (CAP_SYS_ADMIN, CAP_NET_ADMIN), iproute2 and util-linux. Files and process ids are shared by all, as on machines
with a common file system; nothing of it shows in the network of the machine that runs the test.
"""
import os
import signal
import subprocess
import time
from pathlib import Path

ADDRESS = "10.77.0."
# What a cut connection costs where Open MPI and the kernel have their defaults: docs/running.md has these.
KEEPALIVE = ["--mca", "oob_tcp_keepalive_time", "5", "--mca", "oob_tcp_keepalive_intvl", "2",
             "--mca", "oob_tcp_keepalive_probes", "3"]


def quiet(*command, check=True):
    done = subprocess.run([str(part) for part in command], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          check=False, timeout=60)
    if check and done.returncode != 0:
        raise OSError(f"{' '.join(map(str, command))}: {done.stderr.strip()}")
    return done


def why_not():
    """Why machines cannot be made here; empty where they can."""
    try:
        done = quiet("unshare", "--net", "--uts", "--mount", "sh", "-c", "ip link add port0 type veth peer name port1 && "
                     "ip link add switch0 type bridge && mount -t tmpfs tmpfs /dev/shm", check=False)
    except OSError as problem:
        return str(problem)
    return done.stderr.strip() or ("unshare failed" if done.returncode else "")


class Machines:
    """node1 … nodeN. folder: for their few files, seen by all."""

    def __init__(self, folder, count):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.names = [f"node{number}" for number in range(1, count + 1)]
        self.holders = {}
        hosts = self.folder / "hosts"
        hosts.write_text("127.0.0.1 localhost\n" + "".join(f"{ADDRESS}{number} node{number}\n"
                                                          for number in range(1, count + 1)))
        try:
            self._hold("switch", "true")
            self._at("switch", "ip", "link", "add", "switch0", "type", "bridge")
            self._at("switch", "ip", "link", "set", "switch0", "up")
            for number, name in enumerate(self.names, 1):
                self._hold(name, f"hostname {name} && mount --bind '{hosts}' /etc/hosts && "
                                 "mount -t tmpfs -o mode=1777 tmpfs /dev/shm")
                self._at("switch", "ip", "link", "add", f"port{number}", "type", "veth", "peer", "name", "eth0",
                         "netns", self.holders[name].pid)
                self._at("switch", "ip", "link", "set", f"port{number}", "master", "switch0", "up")
                for words in (("link", "set", "lo", "up"), ("addr", "add", f"{ADDRESS}{number}/24", "dev", "eth0"),
                              ("link", "set", "eth0", "up")):
                    self._at(name, "ip", *words)
            self._write_agent()
        except BaseException:
            self.close()
            raise

    def _hold(self, name, prepare):
        """A process that keeps the namespaces alive."""
        ready = self.folder / f"{name}.ready"
        self.holders[name] = subprocess.Popen(
            ["unshare", "--net", "--uts", "--mount", "--propagation", "private", "sh", "-c",
             f"{prepare} && : > '{ready}' && exec sleep infinity"], stdin=subprocess.DEVNULL, start_new_session=True)
        end = time.monotonic() + 10
        while not ready.exists():
            if self.holders[name].poll() is not None or time.monotonic() > end:
                raise OSError(f"{name} could not be made")
            time.sleep(0.01)

    def _enter(self, name):
        return ["nsenter", "-t", str(self.holders[name].pid), "--net", "--uts", "--mount", "--"]

    def _at(self, name, *command):
        return quiet(*self._enter(name), *command)

    def _write_agent(self):
        """What mpirun calls instead of ssh: agent [options] HOST COMMAND …"""
        cases = "".join(f"{name}|{ADDRESS}{number}) process={self.holders[name].pid};;\n"
                        for number, name in enumerate(self.names, 1))
        self.agent = self.folder / "agent"
        self.agent.write_text("#!/bin/sh\nwhile [ \"${1#-}\" != \"$1\" ]; do shift; done\nhost=$1; shift\ncase $host in\n"
                              f"{cases}*) echo \"no machine $host\" >&2; exit 255;;\nesac\n"
                              "exec nsenter -t $process --net --uts --mount -- sh -c \"$*\"\n")
        self.agent.chmod(0o755)

    def mpirun(self, slots, *more):
        """The start of a command for node1. slots: ranks on each machine, in order."""
        hosts = ",".join(f"{name}:{count}" for name, count in zip(self.names, slots))
        return [*self._enter(self.names[0]), "mpirun", "--allow-run-as-root", "--bind-to", "none", "--mca", "plm_rsh_agent",
                str(self.agent), "--mca", "btl_tcp_if_include", "eth0", "--mca", "oob_tcp_if_include", "eth0",
                "--mca", "mpi_yield_when_idle", "1", "--host", hosts, "-n", str(sum(slots)), *more]

    def set_tcp_retries(self, number):
        for name in self.names:
            self._at(name, "sh", "-c", f"echo {number} > /proc/sys/net/ipv4/tcp_retries2")

    def unplug(self, name):
        """The cable is pulled at the switch: nobody is told, packets no longer arrive."""
        self._at("switch", "ip", "link", "set", f"port{self.names.index(name) + 1}", "down")

    def plug_in(self, name):
        self._at("switch", "ip", "link", "set", f"port{self.names.index(name) + 1}", "up")
        for here, there in ((name, self.names[0]), (self.names[0], name)):
            address = f"{ADDRESS}{self.names.index(there) + 1}"
            end = time.monotonic() + 20
            # A machine that is there refuses at once.
            while "refused" not in quiet(*self._enter(here), "timeout", "2", "bash", "-c", f"</dev/tcp/{address}/9",
                                         check=False).stderr:
                if time.monotonic() > end:
                    raise OSError(f"{here} does not reach {there}")

    def processes(self, name):
        """{process id: command} of what runs there."""
        space = os.readlink(f"/proc/{self.holders[name].pid}/ns/net")
        found = {}
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit() or int(entry.name) == self.holders[name].pid:
                continue
            try:
                if os.readlink(entry / "ns" / "net") == space:
                    found[int(entry.name)] = (entry / "comm").read_text().strip()
            except OSError:  # it has ended meanwhile
                pass
        return found

    def ranks(self, name, program="atelier"):
        """Process ids of the program's ranks there, the lowest rank first."""
        return sorted(process for process, command in self.processes(name).items() if command == program)

    def kill(self, name):
        """Everything on the machine dies; its kernel still tells the others."""
        end = time.monotonic() + 10
        while running := self.processes(name):
            for process in running:
                try:
                    os.kill(process, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            if time.monotonic() > end:
                raise OSError(f"processes on {name} do not end: {running}")
            time.sleep(0.05)

    def close(self):
        for name in reversed(list(self.holders)):
            try:
                self.kill(name)
            except OSError:
                pass
            self.holders[name].kill()
            self.holders[name].wait()
