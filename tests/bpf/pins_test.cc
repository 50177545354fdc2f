// Pinned maps outlive the process that made them, and only one holds them at a time.
#include <filesystem>
#include <fstream>

#include <bpf/bpf.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/bpf/fixture.h"
#include "tests/support/temp_dir.h"

namespace kvmsentry {
namespace {

using ::testing::HasSubstr;

class PinsTest : public BpfTest {};

TEST_F(PinsTest, ASecondHolderIsRefusedAndToldWhy) {
  Load();
  EXPECT_EQ(probe().pins(), Pins::kNone);
  const auto second = Sources::Open(options_);
  EXPECT_TRUE(absl::IsFailedPrecondition(second.status()));
  EXPECT_THAT(std::string(second.status().message()),
              HasSubstr(options_.pin_root + ": another kvmsentryd holds these maps"));
  EXPECT_TRUE(absl::IsFailedPrecondition(Unpin(options_.pin_root)));
}

TEST_F(PinsTest, CountingGoesOnInTheSameMaps) {
  Load();
  ASSERT_OK_AND_ASSIGN(Guest guest, Guest::Start("--behaviour pio --vcpus 2"));
  ASSERT_OK(guest.Begin());
  const Slot slot = SlotOf(guest.pid());
  const VmId vm = VmIn(slot);
  ASSERT_TRUE(WaitUntil([&] { return CountsIn(slot).count[KS_METER_PIO] > 1000; }));
  sources_.reset();
  Load();
  EXPECT_EQ(probe().pins(), Pins::kKept);
  EXPECT_EQ(VmIn(slot), vm);
  const uint64_t kept = CountsIn(slot).count[KS_METER_PIO];
  EXPECT_GT(kept, 1000U);
  EXPECT_TRUE(WaitUntil([&] { return CountsIn(slot).count[KS_METER_PIO] > kept + 1000; }));
  EXPECT_EQ(SlotsOf(guest.pid()).size(), 1U);  // the VM is still known, not met anew
  ASSERT_OK(guest.Stop());
  ASSERT_OK(guest.Finish());
  ASSERT_OK_AND_ASSIGN(const FinishedGuest next,
                       RunGuest("--behaviour pio --count 10 --then exit"));
  EXPECT_EQ(CountsOf(next.pid).count[KS_METER_PIO], 10U);  // free slots were kept, too
  ExpectNoLosses();
}

TEST_F(PinsTest, MapsOfAnotherSizeAreMadeAnew) {
  Load();
  ASSERT_OK_AND_ASSIGN(const FinishedGuest guest,
                       RunGuest("--behaviour pio --count 10 --then exit"));
  ASSERT_EQ(SlotsOf(guest.pid).size(), 1U);
  sources_.reset();
  options_.sizes.max_vcpus += 1;
  Load();
  EXPECT_EQ(probe().pins(), Pins::kRecreated);
  EXPECT_TRUE(SlotsOf(guest.pid).empty());
  EXPECT_EQ(tables().vcpus().size(), options_.sizes.max_vcpus);
}

TEST_F(PinsTest, UnpinRemovesAllAndTwiceIsFine) {
  Load();
  EXPECT_TRUE(std::filesystem::exists(options_.pin_root + "/kvm/vcpus"));
  sources_.reset();
  ASSERT_OK(Unpin(options_.pin_root));
  EXPECT_FALSE(std::filesystem::exists(options_.pin_root));
  ASSERT_OK(Unpin(options_.pin_root));
}

// As of a daemon whose server cannot start.
TEST_F(PinsTest, AStartThatFailsAfterLoadingLeavesOnlyPinsOfAnEarlierRun) {
  objects_ = {"life"};
  for (const Hook& hook : Hooks()) options_.variants.try_emplace(std::string(hook.name));
  ASSERT_OK(Sources::Open(options_));
  EXPECT_FALSE(std::filesystem::exists(options_.pin_root));
  Load();
  sources_.reset();
  ASSERT_OK(Sources::Open(options_));
  EXPECT_TRUE(std::filesystem::exists(options_.pin_root + "/kvm/vcpus"));
}

TEST_F(PinsTest, PinsOfOthersAreNeitherUsedNorRemoved) {
  const std::string other = options_.pin_root + "/other";
  ASSERT_EQ(mkdir(options_.pin_root.c_str(), 0700), 0);
  const int map = bpf_map_create(BPF_MAP_TYPE_ARRAY, "other", 4, 4, 1, nullptr);
  ASSERT_EQ(bpf_obj_pin(map, other.c_str()), 0);
  close(map);
  EXPECT_TRUE(absl::IsFailedPrecondition(Sources::Open(options_).status()));
  EXPECT_TRUE(absl::IsFailedPrecondition(Unpin(options_.pin_root)));
  EXPECT_EQ(unlink(other.c_str()), 0);  // it was still there
}

TEST_F(PinsTest, AFolderThatIsNoBpffsIsRefusedWithTheRemedy) {
  ProbeOptions options = options_;
  options.pin_root = "/tmp/kvmsentry-no-bpffs";
  const auto probe = Sources::Open(options);
  EXPECT_TRUE(absl::IsFailedPrecondition(probe.status()));
  EXPECT_THAT(std::string(probe.status().message()), HasSubstr("mount -t bpf bpf /tmp"));
}

TEST_F(PinsTest, AFolderThatIsNoBpffsIsNotEmptied) {
  ASSERT_OK_AND_ASSIGN(const TempDir folder, TempDir::Make());
  std::ofstream(folder / "precious") << "data";
  EXPECT_TRUE(absl::IsFailedPrecondition(Unpin(folder.path())));
  EXPECT_TRUE(std::filesystem::exists(folder / "precious"));
}

}  // namespace
}  // namespace kvmsentry
