// What a pass finds of a VM, beside what the kernel's own files say of it: read before the pass and
// after it, the pass's value lies between. Counts that stand still are equal.
#pragma once

#include <fstream>
#include <string>
#include <vector>

#include "sensor/source/resource/tables.h"
#include "tests/bpf/fixture.h"
#include "tests/support/cgroup.h"

namespace kvmsentry {

class ResourceTest : public BpfTest {
 protected:
  void SetUp() override {
    BpfTest::SetUp();
    if (HasFatalFailure()) return;
    ASSERT_NO_FATAL_FAILURE(Load());
    ASSERT_OK_AND_ASSIGN(tables_, ResourceTables::Open(probe(), sources_->state()));
    vms_ = Pass(probe().ProgramFd("resource_pass"), options_.sizes);
    taps_ = Pass(probe().ProgramFd("tap_pass"), options_.sizes);
  }

  // A pass over VMs, and what it found of the one that PID created.
  ks_resource_vm PassOver(pid_t pid) {
    EXPECT_EQ(vms_.Run(++passes_), absl::OkStatus());
    const auto row = tables_->Vm(PlaceOf(SlotOf(pid)));
    EXPECT_TRUE(row && row->ended == passes_) << "the pass did not find the VM of process " << pid;
    return row.value_or(ks_resource_vm{});
  }

  // READ gives a number of the kernel's files, USED the same of a row. They are compared again and
  // again until the file has stood still for the time of a pass.
  template <typename Read, typename Used>
  void ExpectEqual(pid_t pid, const char* what, const Read& read, const Used& used) {
    uint64_t before = 0, found = 0, after = 1;
    const bool still = WaitUntil([&] {
      before = read();
      found = used(PassOver(pid));
      after = read();
      return before == after || HasFailure();
    });
    EXPECT_TRUE(still) << what << " never stands still";
    EXPECT_EQ(found, before) << what;
  }

  std::optional<ResourceTables> tables_;
  Pass vms_, taps_;
  uint64_t passes_ = 0;
};

}  // namespace kvmsentry
