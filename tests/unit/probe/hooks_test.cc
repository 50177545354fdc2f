#include "sensor/probe/hooks.h"

#include <array>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kvmsentry {
namespace {

using ::testing::ElementsAre;

constexpr std::array<absl::string_view, 1> kWith = {"kvm_vcpu_ioctl"};
constexpr std::array<absl::string_view, 1> kCompat = {"kvm_vm_compat_ioctl"};

TEST(Hook, EveryFunctionMustFireButThoseThatNobodyMayCall) {
  const Hook hook{.name = "kvm_vm_ioctl",
                  .bpf = "ioctl",
                  .variants = {},
                  .provides = {},
                  .with = kWith,
                  .with_if_there = kCompat};
  EXPECT_TRUE(IsNeeded(hook, "kvm_vm_ioctl_fentry"));
  EXPECT_TRUE(IsNeeded(hook, "kvm_vcpu_ioctl_kprobe"));
  EXPECT_FALSE(IsNeeded(hook, "kvm_vm_compat_ioctl_fentry"));
}

// Where the kernel has the newer function; at the system calls it is the same program.
TEST(Hook, AFunctionThatAnotherReplacedIsHookedByThatOnesName) {
  const Hook hook{.name = "__secure_computing",
                  .bpf = "conduct",
                  .variants = {},
                  .provides = {},
                  .superseded_by = "__seccomp_permit_syscall",
                  .weakness = "at every system call"};
  constexpr std::array<absl::string_view, 1> kAbsent = {"__seccomp_permit_syscall"};
  EXPECT_THAT(ProgramNames(hook, Variant::kFexit), ElementsAre("__seccomp_permit_syscall_fexit"));
  EXPECT_THAT(ProgramNames(hook, Variant::kFexit, kAbsent),
              ElementsAre("__secure_computing_fexit"));
  EXPECT_THAT(ProgramNames(hook, Variant::kSysExit), ElementsAre("__secure_computing_sys_exit"));
}

TEST(Hook, TheEntryOfAKretprobeDoesNotNoteThatItFired) {
  const Hook hook{.name = "vhost_get_vq_desc", .bpf = "vhost", .variants = {}, .provides = {}};
  EXPECT_TRUE(IsNeeded(hook, "vhost_get_vq_desc_kretprobe"));
  EXPECT_FALSE(IsNeeded(hook, "vhost_get_vq_desc_kretprobe_entry"));
}

}  // namespace
}  // namespace kvmsentry
