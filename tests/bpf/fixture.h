// What the tests on the running kernel share: a probe with pins of its own, and its tables by VM.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "sensor/probe/probe.h"
#include "sensor/record/decode.h"
#include "sensor/record/sampler.h"
#include "tests/support/guest.h"
#include "tests/support/wait.h"

// Ends the test unless EXPR, a Status or StatusOr, is OK.
#define ASSERT_OK(expr)                                                                    \
  do {                                                                                     \
    const auto& status_of_expr = (expr);                                                   \
    ASSERT_TRUE(kvmsentry::IsOk(status_of_expr)) << kvmsentry::StatusText(status_of_expr); \
  } while (false)

#define ASSERT_OK_AND_ASSIGN(lhs, expr) \
  ASSERT_OK_AND_ASSIGN_IMPL(KVMSENTRY_CONCAT(result_, __LINE__), lhs, expr)
#define ASSERT_OK_AND_ASSIGN_IMPL(result, lhs, expr) \
  auto result = (expr);                              \
  ASSERT_OK(result);                                 \
  lhs = *std::move(result)

namespace kvmsentry {

inline bool IsOk(const absl::Status& status) { return status.ok(); }
inline std::string StatusText(const absl::Status& status) { return status.ToString(); }
template <typename T>
bool IsOk(const absl::StatusOr<T>& result) {
  return result.ok();
}
template <typename T>
std::string StatusText(const absl::StatusOr<T>& result) {
  return result.status().ToString();
}

// Host-wide hooks see every VM of the host, so tests ask for the VMs that their guests created.
class BpfTest : public ::testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override;

  // Every hook by VARIANT alone, the iterator's apart.
  static std::map<std::string, std::vector<Variant>> Force(Variant variant);

  // Into probe_, with all hooks ACTIVE that are not switched off. Counts start at zero.
  void Load(std::map<std::string, std::vector<Variant>> variants = {});

  Tables& tables() { return probe_->tables(); }

  // The VMs that a process created, in the order of registration.
  std::vector<Slot> SlotsOf(pid_t pid);
  // Its only VM.
  Slot SlotOf(pid_t pid);
  VmCounts CountsIn(Slot slot);
  VmCounts CountsOf(pid_t pid) { return CountsIn(SlotOf(pid)); }
  const ks_vm_row& VmRow(Slot slot) { return tables().vms()[slot]; }
  // The vCPUs of the VM in SLOT, ordered by their index.
  std::vector<const ks_vcpu_row*> VcpusIn(Slot slot);

  // The records of the ring that are of the VM, in their order; all others are dropped.
  std::vector<ks_limit_crossed> TakeLimitRecords(VmId vm);
  VmId VmIn(Slot slot) { return {VmRow(slot).serial}; }

  // Nothing at all was lost since Load.
  void ExpectNoLosses();

  ProbeOptions options_;
  std::unique_ptr<Probe> probe_;
};

}  // namespace kvmsentry
