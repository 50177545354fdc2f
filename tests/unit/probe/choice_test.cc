#include "sensor/probe/choice.h"

#include <array>

#include <gtest/gtest.h>

namespace kvmsentry {
namespace {

constexpr std::array kVariants = {Variant::kFexit, Variant::kSysExit};

Hook Weak() {
  return {.name = "a_function",
          .bpf = "file",
          .variants = kVariants,
          .provides = "acts",
          .weakness = "at the end of every system call: not all acts"};
}

// A kernel may lack one function and let all others be probed, or let none be.
TEST(Choice, AWeakVariantSaysWhyTheFunctionIsNotProbed) {
  const Hook hook = Weak();
  Choice choice{
      .hook = &hook, .left = {Variant::kFexit, Variant::kSysExit}, .reasons = {}, .absent = {}};
  GiveUpOn(choice, absl::NotFoundError("this kernel's BTF has no function a_function"));
  const HookCoverage coverage = CoverageOf(choice);
  EXPECT_EQ(coverage.coverage, Coverage::kDegraded);
  EXPECT_EQ(coverage.variant, "sys_exit");
  EXPECT_EQ(coverage.reason,
            "at the end of every system call: not all acts; "
            "fexit: this kernel's BTF has no function a_function");
}

TEST(Choice, AWeakVariantThatWasAskedForSaysOnlyWhatItMisses) {
  const Hook hook = Weak();
  const Choice choice{.hook = &hook, .left = {Variant::kSysExit}, .reasons = {}, .absent = {}};
  EXPECT_EQ(CoverageOf(choice).reason, "at the end of every system call: not all acts");
}

}  // namespace
}  // namespace kvmsentry
