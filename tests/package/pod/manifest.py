"""What the DaemonSet and the Dockerfile say, read from the files themselves."""

import json
import re

import yaml


class Manifest:
    """The one container of the one DaemonSet in a file."""

    def __init__(self, path):
        with open(path, encoding="utf-8") as file:
            documents = list(yaml.safe_load_all(file))
        self._config_maps = {d["metadata"]["name"]: d["data"] for d in documents if d["kind"] == "ConfigMap"}
        (daemon_set,) = (d for d in documents if d["kind"] == "DaemonSet")
        self.pod = daemon_set["spec"]["template"]["spec"]
        (self.container,) = self.pod["containers"]
        self.security = self.container["securityContext"]

    def probes(self):
        """Command of each probe by name. Probes that are no commands are none of ours."""
        kinds = ("startupProbe", "readinessProbe", "livenessProbe")
        return {kind: self.container[kind] for kind in kinds}

    def capabilities(self):
        """Names as the kernel has them: CAP_BPF."""
        if self.security["capabilities"]["drop"] != ["ALL"]:
            raise ValueError("the container keeps capabilities that it does not name")
        return [f"CAP_{name}" for name in self.security["capabilities"]["add"]]

    def environment(self, node_name):
        """NAME: value. Of what the kubelet fills in, the node's name."""
        fields = {"spec.nodeName": node_name}
        return {
            each["name"]: each["value"] if "value" in each else fields[each["valueFrom"]["fieldRef"]["fieldPath"]]
            for each in self.container.get("env", [])
        }

    def arguments(self, environment):
        """Those of the container, $(NAME) expanded, as the kubelet does."""
        expand = lambda text: re.sub(r"\$\((\w+)\)", lambda match: environment[match[1]], text)
        return [expand(text) for text in self.container.get("args", [])]

    def mounts(self):
        """Pairs of a container's mount and its volume, in the order of the manifest."""
        volumes = {volume["name"]: volume for volume in self.pod["volumes"]}
        mounts = [(mount, volumes.pop(mount["name"])) for mount in self.container["volumeMounts"]]
        if volumes:
            raise ValueError(f"volumes that nothing mounts: {', '.join(volumes)}")
        return mounts

    def config_map(self, name):
        return self._config_maps[name]

    def problems(self):
        """What the API server refuses (kubernetes, pkg/apis/core/validation/validation.go)."""
        problems = []
        privileged = self.security.get("privileged", False)
        for mount, _ in self.mounts():
            if mount.get("mountPropagation") == "Bidirectional" and not privileged:
                problems.append(f"{mount['name']}: only privileged containers propagate mounts to the host")
        if not self.security.get("allowPrivilegeEscalation", True):
            if privileged or "CAP_SYS_ADMIN" in self.security["capabilities"]["add"]:
                problems.append("allowPrivilegeEscalation: false beside privileged or CAP_SYS_ADMIN so spelled")
        for kind, probe in self.probes().items():
            if kind != "readinessProbe" and probe.get("successThreshold", 1) != 1:
                problems.append(f"{kind}: successThreshold must be 1")
        return problems


def entrypoint(dockerfile):
    """The command of the image: the last ENTRYPOINT, in JSON."""
    with open(dockerfile, encoding="utf-8") as file:
        found = re.findall(r"^ENTRYPOINT (\[.*\])$", file.read(), re.MULTILINE)
    return json.loads(found[-1])
