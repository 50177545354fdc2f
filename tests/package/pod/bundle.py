"""From a manifest to what a container runtime is told (OCI runtime-spec, config.json), by the rules of containerd
(internal/cri/server/container_create.go, internal/cri/opts, pkg/oci/spec.go) and of the kubelet."""

import os

# What an image gets that asks for nothing.
_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_MOUNTS = [
    {"destination": "/proc", "type": "proc", "source": "proc", "options": ["nosuid", "noexec", "nodev"]},
    {
        "destination": "/dev",
        "type": "tmpfs",
        "source": "tmpfs",
        "options": ["nosuid", "strictatime", "mode=755", "size=65536k"],
    },
    {
        "destination": "/dev/shm",
        "type": "tmpfs",
        "source": "shm",
        "options": ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"],
    },
    {"destination": "/dev/mqueue", "type": "mqueue", "source": "mqueue", "options": ["nosuid", "noexec", "nodev"]},
    {"destination": "/sys", "type": "sysfs", "source": "sysfs", "options": ["nosuid", "noexec", "nodev", "ro"]},
    {
        "destination": "/sys/fs/cgroup",
        "type": "cgroup",
        "source": "cgroup",
        "options": ["nosuid", "noexec", "nodev", "relatime", "ro"],
    },
]
_MASKED = [
    "/proc/asound",
    "/proc/acpi",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/sys/firmware",
    "/sys/devices/virtual/powercap",
]
_READ_ONLY = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]
_PROPAGATION = {"None": "rprivate", "HostToContainer": "rslave"}
_UNITS = {"Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30}


def _bytes(quantity):
    return int(quantity[:-2]) * _UNITS[quantity[-2:]]


def _volume_source(manifest, node, volume):
    if "hostPath" in volume:
        return node.host_path(volume["hostPath"])
    if "configMap" in volume:
        name = volume["configMap"]["name"]
        return node.config_map(name, manifest.config_map(name))
    if "emptyDir" in volume:
        return node.empty_dir(volume["name"])
    raise ValueError(f"volume {volume['name']}: a kind that this test does not know")


def _volume_mount(manifest, node, mount, volume):
    writable = "configMap" not in volume and not mount.get("readOnly", False)
    return {
        "destination": mount["mountPath"],
        "type": "bind",
        "source": _volume_source(manifest, node, volume),
        "options": ["rbind", _PROPAGATION[mount.get("mountPropagation", "None")], "rw" if writable else "ro"],
    }


def _namespaces(pod):
    # Where cgroups are unified, each container has a namespace of them.
    kinds = ["mount", "ipc", "cgroup"]
    if not pod.get("hostPID", False):
        kinds.append("pid")
    if not pod.get("hostNetwork", False):
        kinds += ["network", "uts"]
    return [{"type": kind} for kind in kinds]


def config(manifest, node, image, command, cgroup):
    """The content of config.json. IMAGE is the folder of the root, COMMAND its entry point."""
    security = manifest.security
    if security.get("seccompProfile", {}).get("type", "Unconfined") != "Unconfined":
        raise ValueError("a seccomp profile that this test does not have")
    environment = manifest.environment(node.name)
    capabilities = manifest.capabilities()
    return {
        "ociVersion": "1.0.2",
        "process": {
            "user": {"uid": security.get("runAsUser", 0), "gid": security.get("runAsGroup", 0)},
            "args": command + manifest.arguments(environment),
            "env": [_PATH] + [f"{name}={value}" for name, value in environment.items()],
            "cwd": "/",
            "capabilities": {kind: list(capabilities) for kind in ("bounding", "effective", "permitted")},
            "noNewPrivileges": not security.get("allowPrivilegeEscalation", True),
        },
        "root": {"path": image, "readonly": security.get("readOnlyRootFilesystem", False)},
        "mounts": _MOUNTS + [_volume_mount(manifest, node, *each) for each in manifest.mounts()],
        "linux": {
            "namespaces": _namespaces(manifest.pod),
            "cgroupsPath": cgroup,
            "resources": {
                # A hostPath of a device shows it; only a device plugin opens it.
                "devices": [{"allow": False, "access": "rwm"}],
                "memory": {"limit": _bytes(manifest.container["resources"]["limits"]["memory"])},
            },
            "maskedPaths": _MASKED,
            "readonlyPaths": _READ_ONLY,
        },
    }


def grant(config, devices):
    """What a device plugin adds: character devices of the host, to be opened."""
    for path in devices:
        number = os.stat(path).st_rdev
        device = {"type": "c", "major": os.major(number), "minor": os.minor(number)}
        config["linux"].setdefault("devices", []).append({"path": path, "fileMode": 0o660, "uid": 0, "gid": 0, **device})
        config["linux"]["resources"]["devices"].append({"allow": True, "access": "rw", **device})


def deny(config, capability):
    for names in config["process"]["capabilities"].values():
        if capability in names:
            names.remove(capability)
