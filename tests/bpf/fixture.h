// What the tests on the running kernel share: a probe with pins of its own, and its tables by VM.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "sensor/source/decode.h"
#include "sensor/source/registry.h"
#include "tests/support/assert_ok.h"
#include "tests/support/guest.h"
#include "tests/support/wait.h"

namespace kvmsentry {

// Host-wide hooks see every VM of the host, so tests ask for the VMs that their guests created.
class BpfTest : public ::testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override;

  // What the running kernel says of VARIANT of HOOK.
  static absl::Status Offers(const Hook& hook, Variant variant);

  // Whether the running kernel has HOOK at all, by any variant.
  static bool IsOffered(const Hook& hook);

  // Every hook of objects_ by VARIANT alone, those apart that have no such variant here.
  std::map<std::string, std::vector<Variant>> Force(Variant variant) const;

  // Into sources_, with all hooks of objects_ ACTIVE that VARIANTS does not switch off and that
  // this kernel has. Counts start at zero.
  // A hook is not held to a variant that is a stray here.
  void Load(std::map<std::string, std::vector<Variant>> variants = {});

  // Whether the hook's variant was given up for a stray program (sensor/probe/strays.h; that it is
  // one, stray_test.cc proves).
  static bool IsStray(const HookCoverage& hook);

  Probe& probe() { return sources_->probe(); }
  const Probe& probe() const { return sources_->probe(); }
  KvmTables& tables() { return sources_->kvm().tables(); }

  // The VMs that a process created, in the order of registration.
  std::vector<Slot> SlotsOf(pid_t pid);
  // Its only VM.
  Slot SlotOf(pid_t pid);
  KvmCounts CountsIn(Slot slot);
  VhostCounts VhostCountsIn(Slot slot);
  uint64_t VfioIoctlsIn(Slot slot);
  VmPlace PlaceOf(Slot slot) { return {VmIn(slot), slot}; }
  KvmCounts CountsOf(pid_t pid) { return CountsIn(SlotOf(pid)); }
  const ks_vm_row& VmRow(Slot slot) { return tables().vms()[slot]; }
  // The vCPUs of the VM in SLOT, ordered by their index.
  std::vector<const ks_vcpu_row*> VcpusIn(Slot slot);

  // The records of the ring that are of the VM, in their order; all others are dropped.
  std::vector<ks_limit_crossed> TakeLimitRecords(VmId vm);
  VmId VmIn(Slot slot) { return {VmRow(slot).serial}; }

  // Nothing at all was lost since Load.
  void ExpectNoLosses();

  bool IsLoaded(const Hook& hook) const { return std::ranges::count(objects_, hook.bpf) != 0; }

  // The files of bpf/ whose hooks are loaded: each takes its time where the kernel is emulated.
  std::vector<absl::string_view> objects_ = {"life",      "inventory", "device", "msr",
                                             "userspace", "exit",      "inject"};
  ProbeOptions options_;
  std::unique_ptr<Sources> sources_;

 private:
  void OpenSources();
  // Whether a hook was held to such a variant.
  bool FreeStrays();
};

}  // namespace kvmsentry
