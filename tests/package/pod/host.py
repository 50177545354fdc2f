"""What happens on the node outside the pod: guests, processes, and the same daemon without a container."""

import json
import os
import subprocess
import time


def _unified_cgroups():
    """Where cgroups v2 are mounted, on hosts with both kinds too."""
    with open("/proc/self/mounts", encoding="utf-8") as file:
        return next(fields[1] for fields in map(str.split, file) if fields[2] == "cgroup2")


class Guest:
    """A VM that makes port accesses, in a cgroup of its own. A context manager."""

    def __init__(self, program, name, options):
        self.cgroup = f"/kvmsentry-pod-test-{os.getpid()}/{name}"
        self._folder = _unified_cgroups() + self.cgroup
        self._command = [program, "--behaviour", "pio", "--seconds", "600", "--name", name] + options

    def __enter__(self):
        os.makedirs(self._folder, exist_ok=True)

        def move():
            with open(f"{self._folder}/cgroup.procs", "w", encoding="ascii") as file:
                file.write("0")

        # pylint: disable=subprocess-popen-preexec-fn
        self._process = subprocess.Popen(self._command, preexec_fn=move)
        self.pid = self._process.pid
        return self

    def end(self):
        self._process.kill()
        self._process.wait()

    def __exit__(self, *_):
        self.end()
        for folder in (self._folder, os.path.dirname(self._folder)):
            os.rmdir(folder)


class Outside:
    """The image's daemon as root of the host, with the options of the host's service. A context manager."""

    def __init__(self, image, node):
        self._image = image
        self._run = node.place("/run/outside")
        self._pins = node.place("/sys/fs/bpf/outside")

    def __enter__(self):
        os.makedirs(self._run, exist_ok=True)
        specs = f"{self._image}/usr/share/kvmsentry/specs"
        command = ["--specs", specs, "--socket", f"{self._run}/sock", "--pin-root", self._pins]
        with open(f"{self._run}/log", "wb") as log:
            self._process = subprocess.Popen([f"{self._image}/usr/sbin/kvmsentryd", *command], stderr=log)
        end = time.monotonic() + 60
        while not os.path.exists(f"{self._run}/sock"):
            if self._process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"the daemon does not start outside the pod:\n{self.log()}")
            time.sleep(0.05)
        return self

    def __exit__(self, *_):
        if self._process.poll() is None:
            self.stop()

    def stop(self):
        self._process.terminate()
        self._process.wait(timeout=90)

    def hooks(self):
        command = [f"{self._image}/usr/bin/kvmsentry", "--socket", f"{self._run}/sock", "status", "--json"]
        return json.loads(subprocess.run(command, capture_output=True, check=False).stdout)["hooks"]

    def log(self):
        with open(f"{self._run}/log", encoding="utf-8") as file:
            return file.read()


def loader_of(daemon):
    """The process that loads programs."""
    with open(f"/proc/{daemon}/task/{daemon}/children", encoding="ascii") as file:
        (loader,) = file.read().split()
    return int(loader)


def capabilities_of(pid):
    """Names of those that any thread of PID has; all of its threads are confined."""
    mask = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/status", encoding="ascii") as file:
            status = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
        if status["NoNewPrivs"] != "1" or status["Seccomp"] != "2":
            raise AssertionError(f"thread {task} has no seccomp filter")
        mask |= int(status["CapPrm"], 16)
    done = subprocess.run(["capsh", f"--decode={mask:x}"], capture_output=True, text=True, check=True)
    return {name.upper() for name in done.stdout.strip().split("=")[1].split(",")}
