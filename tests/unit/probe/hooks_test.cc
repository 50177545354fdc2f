#include "sensor/probe/hooks.h"

#include <array>

#include <gtest/gtest.h>

namespace kvmsentry {
namespace {

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

TEST(Hook, TheEntryOfAKretprobeDoesNotNoteThatItFired) {
  const Hook hook{.name = "vhost_get_vq_desc", .bpf = "vhost", .variants = {}, .provides = {}};
  EXPECT_TRUE(IsNeeded(hook, "vhost_get_vq_desc_kretprobe"));
  EXPECT_FALSE(IsNeeded(hook, "vhost_get_vq_desc_kretprobe_entry"));
}

}  // namespace
}  // namespace kvmsentry
