// The kinds of members that the features of entitlement have: texts.
#pragma once

#include "sensor/feature/member_kind.h"

namespace kvmsentry {

extern const MemberKind kRunner;   // "uid 107 /usr/bin/qemu-system-x86_64"
extern const MemberKind kManager;  // "libvirt", "kubevirt"; "none"
extern const MemberKind kDevice;   // "disk /srv/a.img", "interface tap0", "vfio-group /dev/vfio/3"
extern const MemberKind kImagePath;       // "/srv/images/web.raw"
extern const MemberKind kNetworkMonitor;  // "qmp tcp:127.0.0.1:4444"
extern const MemberKind kMemoryFile;      // "/dev/shm/ivshmem", "/memfd:ram (deleted)"
// "uid 0", "capabilities 0x1000", "unfiltered system calls", "label unconfined", "namespace mnt"
extern const MemberKind kRight;

}  // namespace kvmsentry
