"""azure-batch/: the JSON against Batch's own description of its API, and the task's command line run on this machine.

Batch's variables are set as Batch sets them; a stand-in for ssh starts the second node's ranks here under another host
name (as root only: two nodes of one name would share Open MPI's files). Comparisons of videos are exact.
"""
import json
import os
import shlex
import signal
import subprocess
import time
import unittest

import support
from support import ROOT, SHARED, SystemTest, run_process, test_clip

MAKE_TASK = ROOT / "azure-batch" / "make-task"
EXAMPLE = ROOT / "azure-batch" / "example.cfg"
API = next(iter(sorted((SHARED / "azure").glob("BatchService.*.json"))), None)
TYPES = {"string": str, "integer": int, "boolean": bool, "array": list, "object": dict}
STAND_IN_FOR_SSH = """\
#!/bin/bash
# [-o OPTION]… HOST COMMAND
while [ "${1#-}" != "$1" ]; do shift 2; done
host=$1
shift
echo "$host" >>"$(dirname "$0")/ssh-hosts"
exec unshare -u bash -c 'hostname "$0"; exec bash -c "$1"' "$host" "$*"
"""


def problems(definitions, name, value, where):
    """What an object has that the definition does not allow, and what it lacks."""
    definition = definitions[name]
    if "enum" in definition and value not in definition["enum"]:
        return [f"{where}: '{value}' is none of {definition['enum']}"]
    if "properties" not in definition:
        return [] if isinstance(value, TYPES[definition["type"]]) else [f"{where}: no {definition['type']}"]
    found = [f"{where}: {field} is missing" for field in definition.get("required", []) if field not in value]
    for field, part in value.items():
        rule = definition["properties"].get(field)
        if rule is None:
            found.append(f"{where}: {name} has no field {field}")
            continue
        parts, rule = (part, rule["items"]) if rule.get("type") == "array" and isinstance(part, list) else ([part], rule)
        for one in parts:
            if "$ref" in rule:
                found += problems(definitions, rule["$ref"].rsplit("/", 1)[-1], one, f"{where}.{field}")
            elif not isinstance(one, TYPES[rule["type"]]):
                found.append(f"{where}.{field}: no {rule['type']}")
            elif "enum" in rule and one not in rule["enum"]:
                found.append(f"{where}.{field}: '{one}' is none of {rule['enum']}")
    return found


class Azure(SystemTest):
    def settings(self, **more):
        """A settings file: the example's, and what `more` changes (underscores stand for dashes)."""
        path = self.path("task.cfg")
        lines = EXAMPLE.read_text().splitlines()
        lines += [f"{key.replace('_', '-') if not key.startswith('env.') else key} = {value}" for key, value in more.items()]
        path.write_text("\n".join(lines) + "\n")
        return path

    def make(self, *arguments):
        done = run_process([MAKE_TASK, *arguments], timeout_s=20)
        self.assertEqual((done.code, done.err), (0, ""))
        return json.loads(done.out)

    def definitions(self):
        if API is None:
            self.skipTest("no description of the Batch API in ../shared/azure")
        return json.loads(API.read_text())["definitions"]

    def test_fields_are_those_of_the_api(self):
        definitions = self.definitions()
        full = self.settings(input_url="https://a.blob.core.windows.net/v/in.mp4?sas",
                             upload_container_url="https://a.blob.core.windows.net/r?sas",
                             common_container_url="https://a.blob.core.windows.net/c?sas")
        for settings in (EXAMPLE, full):
            task = self.make(settings)
            self.assertEqual(problems(definitions, "TaskAddParameter", task, "task"), [])
            self.assertEqual(task["multiInstanceSettings"]["numberOfInstances"], 2)
        self.assertEqual(set(task) & {"resourceFiles", "outputFiles"}, {"resourceFiles", "outputFiles"})
        self.assertIn("commonResourceFiles", task["multiInstanceSettings"])
        job = self.make("--job", EXAMPLE)
        self.assertEqual(problems(definitions, "JobAddParameter", job, "job"), [])
        # Batch refuses exit conditions in a job without these.
        self.assertEqual((job["onTaskFailure"], job["usesTaskDependencies"]), ("performexitoptionsjobaction", True))

    def test_the_check_finds_wrong_fields(self):
        definitions = self.definitions()
        task = self.make(EXAMPLE)
        task["multiInstanceSettings"]["instances"] = 2
        task["constraints"]["maxTaskRetryCount"] = "0"
        task["exitConditions"]["default"]["jobAction"] = "stop"
        del task["id"]
        self.assertEqual(len(problems(definitions, "TaskAddParameter", task, "task")), 4)

    def test_bad_settings_are_refused(self):
        for key, value, mentions in (("nodes", "two", "nodes"), ("nodez", "2", "nodez"), ("input", "", "input"),
                                     ("input", "$(id)/in.mp4", "input"), ("output", "it's.mp4", "output")):
            done = run_process([MAKE_TASK, self.settings(**{key: value})], timeout_s=20)
            self.assertEqual((done.code, done.out), (2, ""), key)
            self.assertEqual(len(done.err.splitlines()), 1, done.err)
            self.assertIn(mentions, done.err)

    def start(self, hosts, **more):
        """Runs a task's two command lines as Batch does; returns the primary's process."""
        work_dir = self.path("wd")
        work_dir.mkdir()
        ssh = self.path("remote-shell")
        ssh.write_text(STAND_IN_FOR_SSH)
        ssh.chmod(0o755)
        settings = self.settings(**{"program_folder": ROOT, "workers_per_node": 2, "input": "$AZ_BATCH_TASK_WORKING_DIR/in.mp4",
                                    "output": "$AZ_BATCH_TASK_WORKING_DIR/out.mp4",
                                    "options": "--engine identity --height 96 --record $AZ_BATCH_TASK_WORKING_DIR/job.h5",
                                    **{f"env.{name}": value for name, value in support.local_network().items()},
                                    "env.OMPI_MCA_btl": "self,tcp", "env.ATELIER_PROGRAM": support.program(), **more})
        task = self.make(settings)
        environment = support.clean_environment({
            "AZ_BATCH_TASK_WORKING_DIR": str(work_dir), "AZ_BATCH_MASTER_NODE": "127.0.0.1:6000", "OMPI_MCA_plm_rsh_agent": str(ssh),
            "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", **hosts,
            **{setting["name"]: setting["value"] for setting in task["environmentSettings"]}})
        coordination = shlex.split(task["multiInstanceSettings"]["coordinationCommandLine"]
                                   .replace(f"{ROOT}/build/release/atelier", support.program()))
        self.assert_done(run_process(coordination, env=environment, cwd=work_dir, timeout_s=30))
        log = open(self.path("log"), "w")
        self.addCleanup(log.close)
        process = subprocess.Popen(shlex.split(task["commandLine"]), cwd=work_dir, env=environment, stdin=subprocess.DEVNULL,
                                   stdout=log, stderr=log, start_new_session=True)
        self.addCleanup(self.kill_group, process)
        return process

    def kill_group(self, process):
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def finish(self, process):
        try:
            return process.wait(60)
        except subprocess.TimeoutExpired:
            self.fail(f"hangs: the task is not done after 60 s\n{self.log()}")

    def log(self):
        return self.path("log").read_text(errors="replace")

    def clip(self, **more):
        return test_clip(self.path("in.mp4"), **more)

    def check_same_file(self, hosts, hostfile, ssh_hosts):
        clip = self.clip()
        self.run_done("--config", ROOT / "jobs" / "demo.cfg", "--engine", "identity", "--height", "96", "--input", clip,
                      "--output", self.path("one.mp4"), cwd=ROOT)
        process = self.start(hosts, input=clip)
        self.assertEqual(self.finish(process), 0, self.log())
        self.assertGreater(self.path("one.mp4").stat().st_size, 1000)
        self.assertEqual((self.path("wd") / "out.mp4").read_bytes() == self.path("one.mp4").read_bytes(), True, self.log())
        self.assertEqual((self.path("wd") / "hostfile").read_text().splitlines(), hostfile)
        reached = self.path("ssh-hosts")
        self.assertEqual(reached.read_text().split() if reached.exists() else [], ssh_hosts)
        import h5py
        with h5py.File(self.path("wd") / "job.h5") as record:
            self.assertEqual(len(record["ranks"]), 2 * len(hostfile) + 1)
            self.assertTrue(all(record["ranks"]["num_frames"][1:] >= 0))

    def test_two_nodes(self):
        """The primary is not the first of the list."""
        if subprocess.run(["unshare", "-u", "true"], stderr=subprocess.DEVNULL, timeout=10).returncode != 0:
            self.skipTest("no right to give the second node a host name of its own")
        self.check_same_file({"AZ_BATCH_HOST_LIST": "node-b,127.0.0.1", "AZ_BATCH_NODE_LIST": "node-b;127.0.0.1"},
                             ["127.0.0.1 slots=3", "node-b slots=2"], ["node-b"])

    def test_one_node_by_the_other_list(self):
        self.check_same_file({"AZ_BATCH_NODE_LIST": "127.0.0.1;"}, ["127.0.0.1 slots=3"], [])

    def test_bad_input_is_exit_code_2(self):
        process = self.start({"AZ_BATCH_HOST_LIST": "127.0.0.1"}, input="$AZ_BATCH_TASK_WORKING_DIR/missing.mp4")
        self.assertEqual(self.finish(process), 2, self.log())
        self.assertIn("missing.mp4", self.log())

    def test_terminated_task_is_exit_code_75(self):
        clip = self.clip(seconds=60, size="640x360", sound=False)
        process = self.start({"AZ_BATCH_HOST_LIST": "127.0.0.1"}, input=clip,
                             options="--engine identity --preset veryslow --progress json")
        end = time.monotonic() + 60
        while '"state":"running"' not in self.log():
            self.assertLess(time.monotonic(), end, self.log())
            self.assertIsNone(process.poll(), self.log())
            time.sleep(0.2)
        process.terminate()
        self.assertEqual(self.finish(process), 75, self.log())
        self.assertEqual(sorted(path.name for path in self.path("wd").glob("out*")), ["out.mp4.atelier", "out.mp4.status.json"])
        state = json.loads((self.path("wd") / "out.mp4.atelier" / "state.json").read_text())
        self.assertEqual((state["status"], state["exit_code"]), ("interrupted", 75))

    def test_outside_batch_it_is_refused(self):
        done = run_process([ROOT / "azure-batch" / "run-task"], env=support.clean_environment(), timeout_s=20)
        self.assertEqual(done.code, 2)
        self.assertIn("AZ_BATCH_HOST_LIST", done.err)


if __name__ == "__main__":
    unittest.main()
