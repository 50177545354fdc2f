"""The node: this host, but with folders of its own where the pod writes, so that no other daemon here is met."""

import os
import subprocess
import tempfile
import uuid


class Node:
    """A context manager. Its folders go with it, and the bpffs on which the pod pins."""

    name = "node-of-the-test"

    def __enter__(self):
        self._folder = tempfile.TemporaryDirectory(prefix="kvmsentry-pod-")
        self.root = self._folder.name
        os.chmod(self.root, 0o755)
        self._pins = self.place("/sys/fs/bpf")
        os.makedirs(self._pins)
        subprocess.run(["mount", "-t", "bpf", "bpf", self._pins], check=True)
        self.machine_id = uuid.uuid4().hex
        os.makedirs(self.place("/etc"))
        with open(self.place("/etc/machine-id"), "w", encoding="ascii") as file:
            file.write(self.machine_id + "\n")
        return self

    def __exit__(self, *_):
        subprocess.run(["umount", self._pins], check=True)
        self._folder.cleanup()

    def place(self, path):
        """Where the node's own PATH stands on this host, whether or not it is there."""
        return self.root + path

    def host_path(self, volume):
        """The source of a hostPath volume: the node's own, else this host's. Made and checked as the kubelet does."""
        path, kind = volume["path"], volume["type"]
        own = self.place(path)
        if kind == "DirectoryOrCreate":
            os.makedirs(own, mode=0o755, exist_ok=True)
        source = own if os.path.exists(own) else path
        is_there = {
            "Directory": os.path.isdir,
            "DirectoryOrCreate": os.path.isdir,
            "File": os.path.isfile,
            "CharDevice": os.path.exists,
        }[kind]
        if not is_there(source):
            raise FileNotFoundError(f"hostPath {path} is no {kind}: the pod would not start")
        return source

    def config_map(self, name, data):
        """The folder in which the kubelet lays out a configMap: links into a folder that it exchanges at once."""
        folder = self.place(f"/var/lib/kubelet/configmap/{name}")
        if os.path.exists(folder):
            return folder
        os.makedirs(f"{folder}/..1")
        os.symlink("..1", f"{folder}/..data")
        for key, text in data.items():
            with open(f"{folder}/..1/{key}", "w", encoding="utf-8") as file:
                file.write(text)
            os.symlink(f"..data/{key}", f"{folder}/{key}")
        return folder

    def empty_dir(self, name):
        folder = self.place(f"/var/lib/kubelet/empty-dir/{name}")
        os.makedirs(folder, exist_ok=True)
        os.chmod(folder, 0o777)
        return folder
