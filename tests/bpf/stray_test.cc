// What the sensor says of a program that is attached and never runs must be so: an entry program on
// kvm_vm_ioctl, which the canary VM calls, is found to be a stray just where it does not fire.
#include <optional>
#include <utility>

#include "sensor/probe/attach_targets.h"
#include "sensor/probe/canary_vm.h"
#include "sensor/probe/kernel.h"
#include "sensor/probe/strays.h"
#include "sensor/source/catalogue.h"
#include "sensor/source/kvm/bpf.h"
#include "tests/bpf/fixture.h"

namespace kvmsentry {
namespace {

class StrayTest : public BpfTest {
 protected:
  void SetUp() override {
    BpfTest::SetUp();
    if (HasFatalFailure()) return;
    objects_ = {"life"};
    Load();
    ASSERT_OK_AND_ASSIGN(Kernel kernel, Kernel::Inspect(HookPointers()));
    kernel_.emplace(std::move(kernel));
    targets_.emplace(*kernel_);
  }

  absl::StatusOr<BpfObject> Attach(const std::string& program) {
    KVMSENTRY_ASSIGN_OR_RETURN(BpfObject object, BpfObject::Open(KvmBpf(), probe().plan()));
    KVMSENTRY_RETURN_IF_ERROR(object.Load({program}));
    KVMSENTRY_RETURN_IF_ERROR(object.Attach(program));
    return object;
  }

 private:
  std::optional<Kernel> kernel_;
  std::optional<AttachTargets> targets_;
};

TEST_F(StrayTest, IsWhatNeverFires) {
  ASSERT_OK_AND_ASSIGN(Strays strays, Strays::Make(probe().plan()));
  for (const std::string program : {"kvm_vm_ioctl_fentry", "kvm_vcpu_ioctl_fentry"}) {
    ASSERT_OK_AND_ASSIGN(const BpfObject object, Attach(program));
    const absl::Status found = strays.FindNone(object, std::vector{program});
    ASSERT_OK_AND_ASSIGN(const LoadedObject held, object.HandOver(0, BpfObject::Maps::kNone));
    ASSERT_OK(RunCanaryVm());
    EXPECT_EQ(found.ok(), held.HasFired(program)) << found;
  }
}

// A kprobe patches the same place.
TEST_F(StrayTest, IsKnownByItsFunctionAlsoWhereAKprobeHidesIt) {
  ASSERT_OK_AND_ASSIGN(Strays strays, Strays::Make(probe().plan()));
  const std::vector<std::string> programs = {"kvm_vm_ioctl_fentry"};
  ASSERT_OK_AND_ASSIGN(const BpfObject object, Attach(programs[0]));
  const absl::Status alone = strays.FindNone(object, programs);
  ASSERT_OK_AND_ASSIGN(const BpfObject probed, Attach("kvm_vm_ioctl_kprobe"));
  EXPECT_EQ(strays.FindNone(object, programs), alone);
}

}  // namespace
}  // namespace kvmsentry
