// What a node tells of KubeVirt's VMs: virt-launcher runs libvirt and QEMU in a pod, names the
// domain NAMESPACE_NAME, and the kubelet puts the pod's uid into the cgroup's path. Pure.
#pragma once

#include <string>

#include "absl/strings/string_view.h"

#include "sensor/given/given.h"

namespace kvmsentry {

// The uid of the pod in a cgroup's path, ".../pod41c1...-...": with the cgroup driver systemd its
// dashes are underscores. "" where there is none.
std::string PodOf(absl::string_view cgroup);

// CGROUP is the VMM's, DOMAIN its -name. Nothing is known of what runs in no pod.
given::Manager KubevirtManager(absl::string_view cgroup, absl::string_view domain);

}  // namespace kvmsentry
