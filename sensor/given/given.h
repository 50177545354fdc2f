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

#include <algorithm>
#include <cstddef>
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

using TextFact = Fact<std::string>;
using NumberFact = Fact<uint64_t>;
using FlagFact = Fact<bool>;
using TextsFact = Fact<std::vector<std::string>>;

// A file on this host: an image, a folder, or a block device, which has its own number and no
// inode.
struct FileId {
  uint32_t major = 0, minor = 0;
  uint64_t inode = 0;
  friend bool operator==(const FileId&, const FileId&) = default;
};

namespace given {

struct Disk {
  std::string id;   // of its device, drive or node
  TextFact path;    // a file, a block device or a URL
  TextFact file;    // what it is on the host: "8:1 inode 42", of a block device "7:0"
  NumberFact size;  // of an image, in bytes
  TextFact format;
  TextFact cache;     // "none", "writeback", ...
  TextsFact backing;  // paths, the nearest first; an empty list where there is none
  FlagFact read_only;
  FlagFact shared;    // with other VMs
  FlagFact no_space;  // it may have to grow, and its file system is full
  friend bool operator==(const Disk&, const Disk&) = default;
};

struct Interface {
  std::string id;
  TextFact kind;    // "tap", "user", "bridge", "vhost-user", "macvtap", "vhost-vdpa", "passt", ...
  TextFact device;  // on the host: a tap's name, a macvtap's file
  TextFact bridge;
  TextFact model;  // "virtio-net-pci"
  TextFact mac;
  TextsFact addresses;
  TextFact socket;  // of vhost-user, stream, passt
  FlagFact vhost;   // the host's kernel moves its packets
  friend bool operator==(const Interface&, const Interface&) = default;
};

struct SharedFolder {
  std::string id;  // the tag under which the guest mounts it
  TextFact kind;   // "9p", "virtiofs"
  TextFact path;
  Fact<FileId> root;  // what it is on the host
  FlagFact read_only;
  TextFact security;  // 9p's security model
  TextFact socket;    // virtiofs: that of its daemon
  friend bool operator==(const SharedFolder&, const SharedFolder&) = default;
};

// A device of the host that the guest drives, or one that another process serves.
struct HostDevice {
  std::string id;
  TextFact
      kind;  // "vfio-pci", "vfio-mdev", "usb-host", "vhost-user-blk", "vhost-vsock", "tpm", ...
  TextFact place;  // an address, a path, a context id
  friend bool operator==(const HostDevice&, const HostDevice&) = default;
};

// Through it the VMM can be told what to do.
struct Monitor {
  TextFact kind;   // "qmp", "hmp", "api"
  TextFact place;  // "unix:/run/m.sock", "fd:29", "tcp:127.0.0.1:4444", "stdio"
  friend bool operator==(const Monitor&, const Monitor&) = default;
};

struct MemoryBacking {
  std::string id;
  TextFact kind;  // "ram", "file", "memfd"
  TextFact path;
  TextFact file;  // what it is on the host: "0:1 inode 42"
  NumberFact size;
  FlagFact shared;
  friend bool operator==(const MemoryBacking&, const MemoryBacking&) = default;
};

struct Memory {
  NumberFact size;    // at the start, in bytes
  NumberFact max;     // the most it may be made to have
  NumberFact mapped;  // now: all that KVM maps for the guest, firmware and video memory included
  NumberFact slots;   // for modules to plug
  std::vector<MemoryBacking> backing;
  friend bool operator==(const Memory&, const Memory&) = default;
};

struct Cpus {
  NumberFact start;
  NumberFact max;
  NumberFact created;  // now
  friend bool operator==(const Cpus&, const Cpus&) = default;
};

// Where something answers: ports, or guest-physical addresses.
struct Window {
  bool ports = false;
  uint64_t first = 0;
  uint64_t last = 0;
  std::string device;  // "serial port"; "" where that is not known
  FactOrigin origin = FactOrigin::kUnknown;
  friend bool operator==(const Window&, const Window&) = default;
};

struct Migration {
  TextFact incoming;       // where it waits to be migrated to: "tcp:0:49152", "defer"; "none"
  TextsFact capabilities;  // as switched on by the command line
  FlagFact only_migratable;
  friend bool operator==(const Migration&, const Migration&) = default;
};

struct Privileges {
  FlagFact nesting;  // the guest may run guests
  TextsFact hyperv;  // features of Hyper-V that the guest sees
  TextFact sandbox;  // the VMM's own filter of system calls, as it was told
  TextFact run_as;
  TextFact chroot;
  NumberFact uid;     // of the process, now
  FlagFact filtered;  // system calls are filtered, now
  FlagFact no_new_privs;
  TextFact capabilities;  // effective, now, in hex
  TextFact label;         // of the security modules, now: "libvirt-... (enforce)"
  TextsFact namespaces;   // now: "mnt 4026531841"
  friend bool operator==(const Privileges&, const Privileges&) = default;
};

// Another process that does a part of the VMM's work.
struct Helper {
  std::string id;  // "virtiofsd"
  NumberFact pid;
  TextFact
      reason;  // how it is known to be this VM's: "its socket /run/fs.sock", "started by the VMM"
  uint64_t start_ticks = 0;  // of the process, proc_pid_stat(5); not shown
  friend bool operator==(const Helper&, const Helper&) = default;
};

// Who manages the VM, where that can be told.
struct Manager {
  TextFact kind;        // "libvirt", "kubevirt"
  TextFact domain;      // libvirt's name of it
  TextFact name_space;  // Kubernetes' namespace of it
  TextFact pod;         // uid of its pod
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
  bool windows_whole = false;  // nothing answers elsewhere; not shown
  given::Migration migration;
  given::Privileges privileges;
  std::vector<given::Helper> helpers;
  std::vector<given::Helper> children;  // that the VMM's first thread made, by name; not shown
  given::Manager manager;
  TextFact machine;
  TextFact program;  // that the VMM's process runs: a path
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
  std::string gap = "more than " + std::to_string(kMaxGivenParts) + " " + what;
  const bool known = std::ranges::find(given->gaps, gap) != given->gaps.end();
  if (!known) given->gaps.push_back(std::move(gap));
  return nullptr;
}

}  // namespace kvmsentry
