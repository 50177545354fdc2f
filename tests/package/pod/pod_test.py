"""The DaemonSet as a node runs it: pod_test.py IMAGE-FOLDER GUEST-PROGRAM. Needs root, /dev/kvm and runc.

What no runtime here can show: AppArmor and SELinux, and the runtime's seccomp profile, of which the manifest asks none.
"""

import functools
import json
import os
import signal
import sys
import time
import unittest

from host import Guest, Outside, capabilities_of, loader_of
from manifest import Manifest, entrypoint
from node import Node
from pod import Pod

_TREE = os.path.realpath(os.path.join(os.path.dirname(__file__), "../../.."))
_IMAGE, _GUEST = "", ""
_OPERATIONS = 5000
_FLOPPY = "0x3f5"  # a port that a shipped spec forbids


def wait_for(what, condition, seconds=30):
    """The first true result of CONDITION."""
    end = time.monotonic() + seconds
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > end:
            raise TimeoutError(what)
        time.sleep(0.1)


@functools.cache
def outside():
    """The hooks and the log of the daemon without a container."""
    with Node() as node, Outside(_IMAGE, node) as daemon:
        return daemon.hooks(), daemon.log()


class PodTest(unittest.TestCase):
    maxDiff = None  # the hooks that differ, by name

    def setUp(self):
        self.manifest = Manifest(f"{_TREE}/deploy/kubernetes/kvmsentry.yaml")
        self.node = self.enterContext(Node())

    def pod(self, **changes):
        """A pod that was not waited for."""
        command = entrypoint(f"{_TREE}/deploy/docker/Dockerfile")
        return self.enterContext(Pod(self.manifest, self.node, _IMAGE, command, **changes))

    def start(self, **changes):
        pod = self.pod(**changes)
        pod.wait_started()
        return pod

    def guest(self, name):
        return self.enterContext(Guest(_GUEST, name, ["--port", _FLOPPY, "--count", str(_OPERATIONS)]))

    def ask(self, pod, *words):
        """The objects that `kvmsentry WORDS --json` prints."""
        done = pod.run(["kvmsentry", *words, "--json"])
        self.assertLess(done.returncode, 3, done.stderr)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def status(self, pod):
        return self.ask(pod, "status")[0]

    def vm(self, pod, name):
        """The VM once all of its operations were counted."""

        def counted():
            vms = self.ask(pod, "vms", "--vm", name)
            return vms[0] if vms and int(vms[0]["counts"].get("pio.rate", 0)) >= _OPERATIONS else None

        return wait_for(f"all operations of VM {name}", counted)

    def assert_probes_pass(self, pod):
        for kind in ("readinessProbe", "livenessProbe"):
            self.assertTrue(pod.probe(kind), kind)

    @staticmethod
    def proven(hooks):
        """Hooks on KVM that were seen to fire, or found not to, and which of the two."""
        return {h["name"]: h["coverage"] for h in hooks if h["name"].startswith("kvm_") and h["coverage"] != "ATTACHED"}

    def test_the_api_server_accepts_it(self):
        self.assertEqual(self.manifest.problems(), [])

    def test_a_guest_is_counted_and_an_alert_comes(self):
        pod = self.start()
        self.assert_probes_pass(pod)
        guest = self.guest("watched")
        vm = self.vm(pod, "watched")
        self.assertEqual(int(vm["counts"]["pio.rate"]), _OPERATIONS)
        self.assertTrue(vm["seen_from_birth"])
        self.assertEqual(vm["vm"]["pid"], guest.pid)
        self.assertEqual(vm["vm"]["cgroup"], guest.cgroup)
        found = lambda: [m["alert"] for m in self.ask(pod, "alerts") if m["alert"]["spec_id"] == "floppy-fifo"]
        alert = wait_for("an alert", found)[0]
        self.assertEqual(alert["vm"]["name"], "watched")
        self.assertEqual(alert["host"]["node"], self.node.name)
        self.assertEqual(alert["host"]["machine_id"], self.node.machine_id)
        # And to the cluster's collector of logs.
        wait_for("the alert in the pod's log", lambda: '"spec_id":"floppy-fifo"' in pod.log())
        self.assertEqual(pod.stop(), 0)

    def test_a_restarted_pod_continues(self):
        first = self.start()
        guest = self.guest("survivor")
        before = self.vm(first, "survivor")
        wait_for("an alert", lambda: self.ask(first, "alerts"))
        epoch = self.status(first)["last_alert"]["epoch"]
        self.assertEqual(first.stop(), 0)

        second = self.start()
        status = self.status(second)
        self.assertFalse(status["pins_recreated"], status["pins_recreated_reason"])
        self.assertIn("unobserved", status)
        self.assertEqual(status["last_alert"]["epoch"], epoch)
        after = self.vm(second, "survivor")
        self.assertEqual(after["vm"]["id"], before["vm"]["id"])
        self.assertEqual(int(after["counts"]["pio.rate"]), _OPERATIONS)
        # What the kernel tells in files of the cgroup alone: so they are found by its path.
        levels = lambda: self.ask(second, "vms", "--vm", "survivor")[0]["levels"]
        wait_for("pressure of the VM's cgroup", lambda: "pressure.cpu.some" in levels())
        guest.end()
        wait_for("the end of the VM", lambda: not self.ask(second, "vms", "--vm", "survivor"))
        self.assertEqual(second.stop(), 0)

    def test_hooks_attach_as_they_do_outside(self):
        hooks, _ = outside()
        variants = lambda hooks: {hook["name"]: hook["variant"] for hook in hooks}
        self.assertEqual(variants(self.status(self.start())["hooks"]), variants(hooks))

    def test_with_a_device_plugin_hooks_are_proven_as_outside(self):
        hooks, _ = outside()
        proven = self.proven(hooks)
        self.assertIn("kvm_pio", proven)
        pod = self.start(devices=["/dev/kvm"])
        self.assertEqual(self.proven(self.status(pod)["hooks"]), proven)

    def test_each_process_drops_what_it_does_not_need(self):
        _, outside_log = outside()
        pod = self.start()
        allowed = set(self.manifest.capabilities())
        daemon, loader = pod.pid(), loader_of(pod.pid())
        self.assertEqual(capabilities_of(daemon), {"CAP_BPF", "CAP_PERFMON", "CAP_SYS_PTRACE"})
        self.assertEqual(capabilities_of(loader), {"CAP_BPF", "CAP_PERFMON", "CAP_SYS_ADMIN"})
        self.assertEqual(capabilities_of(daemon) | capabilities_of(loader), allowed, "the manifest gives more")
        # Landlock works in the container's own mounts, too, or the kernel has none.
        self.assertEqual("files are not confined" in pod.log(), "files are not confined" in outside_log)

    def test_liveness_spares_what_answers(self):
        pod = self.start()
        os.kill(loader_of(pod.pid()), signal.SIGKILL)
        wait_for("the fault", lambda: any(f["id"] == "self-loader" for f in self.status(pod)["faults"]))
        self.assert_probes_pass(pod)
        os.kill(pod.pid(), signal.SIGSTOP)
        self.assertFalse(pod.probe("livenessProbe"))
        os.kill(pod.pid(), signal.SIGCONT)
        wait_for("the daemon's answer", lambda: pod.probe("livenessProbe"))

    def test_without_a_capability_it_says_so(self):
        for name in self.manifest.capabilities():
            with self.subTest(name):
                pod = self.pod(without=name)
                self.assertEqual(pod.wait(30), 1)
                self.assertIn(name, pod.log())


if __name__ == "__main__":
    _IMAGE, _GUEST = map(os.path.realpath, sys.argv[1:3])
    unittest.main(argv=sys.argv[:1] + sys.argv[3:], verbosity=2)
