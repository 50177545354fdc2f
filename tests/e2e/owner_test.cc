// Whose is it: the pinned map says of each VM's disk that it is its own, also of one that goes from
// VM to VM.
#include <cerrno>
#include <cstring>
#include <map>
#include <vector>

#include <bpf/bpf.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "bpf/kvm/records.h"
#include "sensor/base/fd.h"
#include "sensor/inventory/device.h"
#include "tests/e2e/fixture.h"
#include "tests/support/temp_dir.h"

namespace kvmsentry {
namespace {

// The device and inode of an image, as the map has them, and the process that created the VM it is
// of; 0: it is several VMs'.
using Image = std::pair<uint64_t, uint64_t>;
using Owners = std::map<Image, uint32_t>;

class OwnerTest : public E2eTest {
 protected:
  void SetUp() override {
    E2eTest::SetUp();
    if (HasFatalFailure()) return;
    StartDaemon({"storms.textproto"});
    ASSERT_OK_AND_ASSIGN(folder_, TempDir::Make());
  }

  // A guest that inherits these images, as a VMM that was handed its disks.
  Guest GuestWith(const std::string& name, const std::vector<std::string>& images) {
    std::vector<Fd> open_here;
    for (const std::string& image : images) {
      Fd fd(open((*folder_ / image).c_str(), O_RDWR | O_CREAT, 0600));  // NOLINT: inherited
      EXPECT_TRUE(fd) << image << ": " << std::strerror(errno);
      EXPECT_EQ(ftruncate(fd.get(), 1 << 20), 0);
      struct stat stat {};
      EXPECT_EQ(fstat(fd.get(), &stat), 0);
      images_[image] = {DeviceNumber(major(stat.st_dev), minor(stat.st_dev)), stat.st_ino};
      open_here.push_back(std::move(fd));
    }
    absl::StatusOr<Guest> guest = StartGuest(Name(name), "--behaviour calm");
    EXPECT_TRUE(IsOk(guest)) << StatusText(guest);
    EXPECT_TRUE(guest->Begin().ok());
    return *std::move(guest);
  }

  // Of the images of this test, what the map says.
  Owners Said() {
    const Fd map = Pinned("kvm/owners");
    const Fd vms = Pinned("kvm/vms");
    Owners said;
    for (const auto& [name, image] : images_) {
      const ks_owner_key key = {
          .kind = KS_OWNER_FILE, .padding = 0, .id = {image.first, image.second}};
      ks_owner owner{};
      if (bpf_map_lookup_elem(map.get(), &key, &owner) != 0) continue;
      ks_vm_row row{};
      if (owner.several == 0 && bpf_map_lookup_elem(vms.get(), &owner.slot, &row) == 0 &&
          row.serial == owner.serial) {
        said[image] = row.creator_pid;
      } else {
        said[image] = 0;
      }
    }
    return said;
  }

  // The map says that IMAGE, which has an owner, was once another file: BY is added to what tells
  // the two apart.
  void Reincarnate(const std::string& image, int by) {
    const Fd map = Pinned("kvm/owners");
    const ks_owner_key key = {.kind = KS_OWNER_FILE,
                              .padding = 0,
                              .id = {images_.at(image).first, images_.at(image).second}};
    ks_owner owner{};
    ASSERT_EQ(bpf_map_lookup_elem(map.get(), &key, &owner), 0);
    ASSERT_NE(owner.incarnation, 0) << "the file system has no generations, or one in 65,536";
    owner.incarnation = static_cast<uint16_t>(owner.incarnation + by);
    ASSERT_EQ(bpf_map_update_elem(map.get(), &key, &owner, BPF_EXIST), 0);
  }

  void OpenAsStranger(const std::string& image) {
    EXPECT_TRUE(Fd(open((*folder_ / image).c_str(), O_RDWR | O_CLOEXEC)));
  }

  void Expect(const Owners& expected) {
    Owners said;
    EXPECT_TRUE(WaitUntil([&] { return (said = Said()) == expected; }))
        << ::testing::PrintToString(said) << " instead of " << ::testing::PrintToString(expected);
  }

  std::optional<TempDir> folder_;
  std::map<std::string, Image> images_;
};

TEST_F(OwnerTest, ADiskIsOfTheVmThatHasItWhoeverHadItBefore) {
  std::map<int, Guest> guests;
  // Each has one of its own and one that two have; the next round's VMs have those of the last.
  for (int round = 0; round < 6; ++round) {
    for (int i = 0; i < 4; ++i) {
      guests.erase(i);
      guests.emplace(
          i, GuestWith(absl::StrCat("disks", round, i),
                       {absl::StrCat("own", (i + round) % 4), absl::StrCat("shared", i / 2)}));
    }
  }
  Owners expected;
  for (int i = 0; i < 4; ++i) {
    const auto pid = static_cast<uint32_t>(guests.at(i).pid());
    expected[images_.at(absl::StrCat("own", (i + 5) % 4))] = pid;
    expected[images_.at(absl::StrCat("shared", i / 2))] = 0;
  }
  Expect(expected);
  // One of two goes: the other alone has it now.
  guests.erase(0);
  expected.erase(images_.at("own1"));
  expected[images_.at("shared0")] = static_cast<uint32_t>(guests.at(1).pid());
  Expect(expected);
  guests.clear();
  Expect({});
}

// A file system gives the number of a removed file to the next one.
TEST_F(OwnerTest, AFileWithTheNumberThatAnImageHadIsNotThatImage) {
  const Guest guest = GuestWith("held", {"held"});
  Expect({{images_.at("held"), static_cast<uint32_t>(guest.pid())}});
  const auto opened = [&] {
    const auto vms = cli().Vms(Name("held"));
    if (!vms.ok() || vms->size() != 1) return uint64_t{0};
    return CountOf(vms->front(), "image.stranger.rate").value_or(0);
  };
  const uint64_t before = opened();
  Reincarnate("held", 1);
  OpenAsStranger("held");
  Reincarnate("held", -1);
  OpenAsStranger("held");
  EXPECT_TRUE(WaitUntil([&] { return opened() > before; }));
  EXPECT_EQ(opened(), before + 1);
}

}  // namespace
}  // namespace kvmsentry
