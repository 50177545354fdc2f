// libvirt's own word on a domain: the status file of one that runs, /run/libvirt/qemu/NAME.xml, or
// its definition, /etc/libvirt/qemu/NAME.xml (src/conf/domain_conf.c, docs/formatdomain). It names
// what the command line hands over as descriptors, follows what was plugged later, and knows
// backing chains. Pure.
#pragma once

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

#include "sensor/base/status.h"
#include "sensor/given/given.h"

namespace kvmsentry {

struct LibvirtDomain {
  std::string name;  // raw
  std::string uuid;  // canonical; "" where it has none
  int32_t pid = 0;   // of the VMM, in libvirt's PID namespace; 0 of a definition
  Given given;
};

// No external entity is ever followed, and no secret kept.
absl::StatusOr<LibvirtDomain> ParseLibvirtDomain(absl::string_view xml);

}  // namespace kvmsentry
