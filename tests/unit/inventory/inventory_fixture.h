// An inventory of a host that the test makes up: rows, processes, walks and uevents.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sensor/inventory/inventory.h"

namespace kvmsentry {

MATCHER_P(HasPid, pid, "") { return arg.facts.pid == pid; }

constexpr KernelTime At(int64_t second) { return {second * kNsPerSecond}; }

class FakeProcesses final : public ProcessReader {
 public:
  absl::StatusOr<ProcessFacts> Read(int32_t pid) override {
    ++reads;
    const auto it = processes.find(pid);
    if (it == processes.end()) return absl::NotFoundError("no such process");
    return it->second;
  }
  absl::StatusOr<uint64_t> ReadStart(int32_t pid) override {
    const auto it = processes.find(pid);
    if (it == processes.end()) return absl::NotFoundError("no such process");
    return it->second.start_ticks;
  }

  ProcessFacts& Add(int32_t pid, const std::string& name, KernelTime start = At(1)) {
    ProcessFacts process;
    process.pid = pid;
    process.start = start;
    process.start_ticks = static_cast<uint64_t>(start.ns / (kNsPerSecond / 100));
    process.exe = "/usr/bin/qemu-system-x86_64";
    process.args = {"qemu", "-name", name};
    process.cgroup = "/machine.slice/" + name;
    return processes[pid] = process;
  }

  std::map<int32_t, ProcessFacts> processes;
  int reads = 0;
};

inline ks_vm_row Row(uint64_t kvm, uint64_t serial, uint32_t creator, KernelTime first = At(10)) {
  ks_vm_row row{};
  row.kvm = kvm;
  row.serial = serial;
  row.creator_pid = creator;
  row.first_ns = static_cast<uint64_t>(first.ns);
  row.state = KS_VM_ALIVE;
  return row;
}

inline ks_open_file VmFile(uint64_t kvm, uint32_t tgid, uint32_t creator) {
  return {.kvm = kvm, .vcpu = 0, .tgid = tgid, .fd = 5, .creator_pid = creator, .kind = KS_FILE_VM};
}

inline ks_open_file VcpuFile(uint64_t kvm, uint32_t tgid, uint32_t creator) {
  return {.kvm = kvm,
          .vcpu = kvm + 0x100,
          .tgid = tgid,
          .fd = 6,
          .creator_pid = creator,
          .kind = KS_FILE_VCPU};
}

inline constexpr uint64_t kA = 0xffff000000001000, kB = 0xffff000000002000, kC = 0xffff000000003000;

class InventoryTest : public ::testing::Test {
 protected:
  // Each row is in the slot of its place.
  InventoryChanges Sync(KernelTime now, const Walk* walk = nullptr) {
    for (Slot slot = 0; slot < rows_.size(); ++slot) rows_[slot].slot = slot;
    return inventory_.Sync(rows_, walk, now);
  }

  // A walk that begins a second before NOW.
  InventoryChanges Walked(const std::vector<ks_open_file>& files, KernelTime now,
                          const std::map<int32_t, DeviceList>& devices = {}) {
    inventory_.BeginWalk();
    for (uint64_t death = 0; death < deaths_in_walk_; ++death) CountIs(death);
    const Walk walk{now - kNsPerSecond, files, devices};
    return Sync(now, &walk);
  }
  void CountIs(uint64_t alive) { inventory_.OnUevent({KvmUevent::Kind::kDestroy, 1000, alive, 1}); }

  // NAME is the given one, perhaps with #N.
  VmFacts Facts(uint64_t serial, const std::string& name, int32_t pid, const std::string& cgroup) {
    const std::string given_name = name.substr(0, name.find('#'));
    const uint64_t start = processes_.ReadStart(pid).value_or(0);
    return {{serial}, name, "", "qemu", cgroup, 0, pid, given_name, start};
  }
  VmEntry Entry(uint64_t serial, Slot slot, const std::string& name, int32_t pid) {
    return {Facts(serial, name, pid, "/machine.slice/" + name), slot};
  }
  // The VM that was NAME's, which the process HOLDER with number PID has now.
  VmEntry HandedOn(uint64_t serial, const std::string& name, int32_t pid,
                   const std::string& holder) {
    return {Facts(serial, name, pid, "/machine.slice/" + holder), 0};
  }
  static DeviceList Disks(int32_t pid, const std::vector<std::string>& names) {
    DeviceList list;
    for (const std::string& name : names) {
      list.devices.push_back({.kind = DeviceKind::kDisk, .name = name, .pid = pid});
    }
    return list;
  }
  static VmGone Gone(uint64_t serial, Slot slot, GoneReason reason) {
    return {{serial}, slot, reason};
  }

  uint64_t deaths_in_walk_ = 0;
  FakeProcesses processes_;
  std::set<uint64_t> live_on_;  // serials of VMs, processes of which live whatever becomes of them
  Inventory inventory_{&processes_,
                       [this](VmId vm, Slot /*slot*/) { return live_on_.contains(vm.serial); }};
  std::vector<ks_vm_row> rows_;
};

}  // namespace kvmsentry
