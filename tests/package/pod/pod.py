"""A pod that runs: runc with the bundle, and the kubelet's probes."""

import json
import os
import signal
import subprocess
import time

import bundle


class Pod:
    """One container. A context manager: it is killed if it was not stopped."""

    _count = 0

    def __init__(self, manifest, node, image, command, *, devices=(), without=None):
        """DEVICES are granted by a device plugin; WITHOUT is a capability that it is denied."""
        self._manifest = manifest
        Pod._count += 1
        self._name = f"kvmsentry-pod-{os.getpid()}-{Pod._count}"
        self._folder = node.place("/run/bundle")
        os.makedirs(self._folder, exist_ok=True)
        with open(f"{self._folder}/config.json", "w", encoding="utf-8") as file:
            config = bundle.config(manifest, node, image, command, f"/{self._name}")
            bundle.grant(config, devices)
            bundle.deny(config, without)
            json.dump(config, file, indent=2)
        self._log_path = node.place("/run/pod.log")
        self._runtime = ["runc", "--root", node.place("/run/runc")]

    def __enter__(self):
        self._log_start = os.path.getsize(self._log_path) if os.path.exists(self._log_path) else 0
        with open(self._log_path, "ab") as log:
            self._process = subprocess.Popen(
                self._runtime + ["run", "--bundle", self._folder, self._name],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        return self

    def __exit__(self, *_):
        if self._process.poll() is None:
            self._signal(signal.SIGKILL)
            self._process.wait(timeout=30)

    def _signal(self, number):
        subprocess.run(self._runtime + ["kill", self._name, str(int(number))], check=True, capture_output=True)

    def stop(self):
        """Ends it as the kubelet does; its exit code. An error where it takes longer than the pod may."""
        self._signal(signal.SIGTERM)
        return self._process.wait(timeout=self._manifest.pod["terminationGracePeriodSeconds"])

    def wait(self, seconds):
        """The exit code of a pod that ends by itself."""
        return self._process.wait(timeout=seconds)

    def pid(self):
        """Of the daemon, on this host."""
        state = subprocess.run(self._runtime + ["state", self._name], check=True, capture_output=True)
        return json.loads(state.stdout)["pid"]

    def log(self):
        """What this container has written since it was started."""
        with open(self._log_path, "rb") as file:
            file.seek(self._log_start)
            return file.read().decode(errors="replace")

    def run(self, command, timeout=30):
        """COMMAND inside, as `kubectl exec` and probes have it run."""
        return subprocess.run(
            self._runtime + ["exec", self._name] + command,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def probe(self, kind):
        """Whether the probe passes now."""
        probe = self._manifest.probes()[kind]
        try:
            return self.run(probe["exec"]["command"], timeout=probe.get("timeoutSeconds", 1)).returncode == 0
        except subprocess.TimeoutExpired:
            return False

    def wait_started(self):
        """Probes at its start as the kubelet does: an error where it would be killed."""
        probe = self._manifest.probes()["startupProbe"]
        for _ in range(probe["failureThreshold"]):
            if self._process.poll() is not None:
                raise RuntimeError(f"the daemon ended with {self._process.returncode}:\n{self.log()}")
            if self.probe("startupProbe"):
                return
            time.sleep(probe["periodSeconds"])
        raise TimeoutError(f"not started in the time of the startupProbe:\n{self.log()}")
