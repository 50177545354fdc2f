// What a VM was given: what its VMM was told to use, and what was found of it on the host. The
// default norm is "what it was given", so whatever is not known must say so: a fact is known, with
// the place that it comes from, or unknown. Plain values; every text is redacted, escaped and
// bounded (shown_text.h).
//
// Two kinds of places differ in weight. Whoever started the VMM chose its command line; libvirt and
// KubeVirt keep their word in files of their own. Open files are only what the VMM has: a disk
// whose path comes from an open file alone was plugged later, or opened by a VMM that should not
// have.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace kvmsentry {

// Where a fact comes from.
enum class FactOrigin {
  kUnknown = 0,
  kArgv,         // the VMM's command line
  kDefault,      // the command line says nothing, and the VMM's own default is documented
  kConfigFile,   // the VMM's configuration file, as Firecracker has one
  kOpenFile,     // an open file of the VMM
  kMemorySlots,  // KVM's memory slots
  kVcpus,        // KVM's vCPUs
  kIoeventfds,   // KVM's ioeventfds
  kCgroup,
  kProcess,  // /proc/PID/status of the VMM
  kHelper,   // a helper's command line
  kLibvirt,  // libvirt's domain file
  kKubevirt,
};

template <typename T>
struct Fact {
  std::optional<T> value;
  FactOrigin origin = FactOrigin::kUnknown;

  Fact() = default;
  Fact(T known, FactOrigin from) : value(std::move(known)), origin(from) {}
  bool known() const { return value.has_value(); }
  // What is known already stays.
  void Offer(const Fact& other) {
    if (!known()) *this = other;
  }
  friend bool operator==(const Fact&, const Fact&) = default;
};

using Text = Fact<std::string>;
using Number = Fact<uint64_t>;
using Flag = Fact<bool>;
using Texts = Fact<std::vector<std::string>>;

namespace given {

struct Disk {
  std::string id;  // of its device, drive or node
  Text path;       // a file, a block device or a URL
  Text file;       // what it is on the host: "8:1 inode 42", of a block device "7:0"
  Number size;     // of an image, in bytes
  Text format;
  Text cache;     // "none", "writeback", ...
  Texts backing;  // paths, the nearest first; an empty list where there is none
  Flag read_only;
  Flag shared;  // with other VMs
  friend bool operator==(const Disk&, const Disk&) = default;
};

struct Interface {
  std::string id;
  Text kind;    // "tap", "user", "bridge", "vhost-user", "macvtap", "vhost-vdpa", "passt", ...
  Text device;  // on the host: a tap's name, a macvtap's file
  Text bridge;
  Text model;  // "virtio-net-pci"
  Text mac;
  Texts addresses;
  Text socket;  // of vhost-user, stream, passt
  Flag vhost;   // the host's kernel moves its packets
  friend bool operator==(const Interface&, const Interface&) = default;
};

struct SharedFolder {
  std::string id;  // the tag under which the guest mounts it
  Text kind;       // "9p", "virtiofs"
  Text path;
  Flag read_only;
  Text security;  // 9p's security model
  Text socket;    // virtiofs: that of its daemon
  friend bool operator==(const SharedFolder&, const SharedFolder&) = default;
};

// A device of the host that the guest drives, or one that another process serves.
struct HostDevice {
  std::string id;
  Text kind;   // "vfio-pci", "vfio-mdev", "usb-host", "vhost-user-blk", "vhost-vsock", "tpm", ...
  Text place;  // an address, a path, a context id
  friend bool operator==(const HostDevice&, const HostDevice&) = default;
};

// Through it the VMM can be told what to do.
struct Monitor {
  Text kind;   // "qmp", "hmp", "api"
  Text place;  // "unix:/run/m.sock", "fd:29", "tcp:127.0.0.1:4444", "stdio"
  friend bool operator==(const Monitor&, const Monitor&) = default;
};

struct MemoryBacking {
  std::string id;
  Text kind;  // "ram", "file", "memfd"
  Text path;
  Number size;
  Flag shared;
  friend bool operator==(const MemoryBacking&, const MemoryBacking&) = default;
};

struct Memory {
  Number size;    // at the start, in bytes
  Number max;     // the most it may be made to have
  Number mapped;  // now: all that KVM maps for the guest, firmware and video memory included
  Number slots;   // for modules to plug
  std::vector<MemoryBacking> backing;
  friend bool operator==(const Memory&, const Memory&) = default;
};

struct Cpus {
  Number start;
  Number max;
  Number created;  // now
  friend bool operator==(const Cpus&, const Cpus&) = default;
};

// Ports or guest-physical addresses.
struct Window {
  Text kind;  // "pio", "mmio"
  Number first;
  Number last;
  Text device;
  friend bool operator==(const Window&, const Window&) = default;
};

struct Migration {
  Text incoming;       // where it waits to be migrated to: "tcp:0:49152", "defer"; "none"
  Texts capabilities;  // as switched on by the command line
  Flag only_migratable;
  friend bool operator==(const Migration&, const Migration&) = default;
};

struct Privileges {
  Flag nesting;  // the guest may run guests
  Texts hyperv;  // features of Hyper-V that the guest sees
  Text sandbox;  // the VMM's own filter of system calls, as it was told
  Text run_as;
  Text chroot;
  Number uid;     // of the process, now
  Flag filtered;  // system calls are filtered, now
  Flag no_new_privs;
  Text capabilities;  // effective, now, in hex
  friend bool operator==(const Privileges&, const Privileges&) = default;
};

// Another process that does a part of the VMM's work.
struct Helper {
  std::string id;  // "virtiofsd"
  Number pid;
  Text reason;  // how it is known to be this VM's: "its socket /run/fs.sock", "started by the VMM"
  friend bool operator==(const Helper&, const Helper&) = default;
};

// Who manages the VM, where that can be told.
struct Manager {
  Text kind;        // "libvirt", "kubevirt"
  Text domain;      // libvirt's name of it
  Text name_space;  // Kubernetes' namespace of it
  Text pod;         // uid of its pod
  friend bool operator==(const Manager&, const Manager&) = default;
};

}  // namespace given

struct Given {
  std::vector<given::Disk> disks;
  std::vector<given::Interface> interfaces;
  std::vector<given::SharedFolder> folders;
  std::vector<given::HostDevice> devices;
  std::vector<given::Monitor> monitors;
  given::Memory memory;
  given::Cpus cpus;
  std::vector<given::Window> windows;
  given::Migration migration;
  given::Privileges privileges;
  std::vector<given::Helper> helpers;
  given::Manager manager;
  Text machine;
  // What is missing in all this, in words: a command line that was cut, a list that was full, a
  // file that could not be read. Empty where nothing is known to be missing.
  std::vector<std::string> gaps;
  friend bool operator==(const Given&, const Given&) = default;
};

// Of each kind of part at most so many are kept; more are a gap.
inline constexpr size_t kMaxGivenParts = 64;

// Adds PART to PARTS unless that is full, which becomes a gap of GIVEN, named by WHAT.
template <typename Part>
Part* AddPart(std::vector<Part>* parts, const char* what, Given* given) {
  if (parts->size() < kMaxGivenParts) return &parts->emplace_back();
  std::string gap = std::string("more than 64 ") + what;
  bool known = false;
  for (const std::string& other : given->gaps) known |= other == gap;
  if (!known) given->gaps.push_back(std::move(gap));
  return nullptr;
}

}  // namespace kvmsentry
