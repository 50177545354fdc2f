// The sensor tells what is wrong with itself: each kind of tampering, by another process's hands,
// and reading, which harms nothing.
#include <filesystem>

#include <bpf/bpf.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sensor/base/fd.h"
#include "tests/e2e/fixture.h"
#include "tests/e2e/intruder.h"

namespace kvmsentry {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class SelfTest : public E2eTest {
 protected:
  void SetUp() override {
    E2eTest::SetUp();
    if (HasFatalFailure()) return;
    StartDaemon({"storms.textproto"});
  }

  static void ExpectOfTheSensor(const v1::Alert& alert, const std::string& what) {
    EXPECT_FALSE(alert.has_vm());
    EXPECT_EQ(alert.severity(), v1::CRITICAL);
    EXPECT_TRUE(alert.observation_lost());
    EXPECT_THAT(alert.summary(), HasSubstr(what));
  }
};

// Read and write of the ring's first page, as any consumer has it (kernel/bpf/ringbuf.c).
class ConsumerPage {
 public:
  explicit ConsumerPage(int ring)
      : page_(static_cast<size_t>(sysconf(_SC_PAGESIZE))),
        consumer_(mmap(nullptr, page_, PROT_READ | PROT_WRITE, MAP_SHARED, ring, 0)),
        producer_(mmap(nullptr, page_, PROT_READ, MAP_SHARED, ring, static_cast<off_t>(page_))) {
    EXPECT_NE(consumer_, MAP_FAILED);
    EXPECT_NE(producer_, MAP_FAILED);
  }
  ~ConsumerPage() {
    munmap(consumer_, page_);
    munmap(producer_, page_);
  }
  ConsumerPage(const ConsumerPage&) = delete;
  ConsumerPage& operator=(const ConsumerPage&) = delete;

  // DISTANCE bytes beyond what has been produced: more than 0 leaves no room at all.
  void ReadUpTo(uint64_t distance) {
    const uint64_t produced = __atomic_load_n(static_cast<uint64_t*>(producer_), __ATOMIC_ACQUIRE);
    __atomic_store_n(static_cast<uint64_t*>(consumer_), produced + distance, __ATOMIC_RELEASE);
  }

 private:
  const size_t page_;
  void* const consumer_;
  void* const producer_;
};

TEST_F(SelfTest, ARingThatNoLongerDeliversIsToldAndItsRecoveryToo) {
  ASSERT_OK_AND_ASSIGN(AlertStream stream, cli().Follow());
  const Fd ring = Pinned("ring");
  ConsumerPage page(ring.get());
  page.ReadUpTo(1 << 12);
  ASSERT_OK_AND_ASSIGN(const v1::Alert open, stream.WaitFor("", "self-ring", v1::Alert::OPEN));
  ExpectOfTheSensor(open, "the ring is full");
  page.ReadUpTo(0);
  ASSERT_OK(stream.WaitFor("", "self-ring", v1::Alert::CLEARED));
  StopDaemon();
}

TEST_F(SelfTest, AnEntryThatIsDeletedIsTold) {
  ASSERT_OK_AND_ASSIGN(Guest guest, StartGuest(Name("calm"), "--behaviour calm"));
  ASSERT_OK(guest.Begin());
  ASSERT_OK_AND_ASSIGN(AlertStream stream, cli().Follow());
  const Fd slots = Pinned("kvm/vm_slots");
  uint64_t kvm = 0;
  ASSERT_EQ(bpf_map_get_next_key(slots.get(), nullptr, &kvm), 0);
  ASSERT_EQ(bpf_map_delete_elem(slots.get(), &kvm), 0);
  ASSERT_OK_AND_ASSIGN(const v1::Alert open, stream.WaitFor("", "self-tables", v1::Alert::OPEN));
  ExpectOfTheSensor(open, "vm_slots");
  StopDaemon();
}

TEST_F(SelfTest, AnEmptiedStateIsTold) {
  ASSERT_OK_AND_ASSIGN(AlertStream stream, cli().Follow());
  const Fd state = Pinned("state");
  bpf_map_info info{};
  uint32_t length = sizeof(info);
  ASSERT_EQ(bpf_obj_get_info_by_fd(state.get(), &info, &length), 0);
  const uint32_t key = 0;
  const std::vector<char> zeros(info.value_size);
  ASSERT_EQ(bpf_map_update_elem(state.get(), &key, zeros.data(), BPF_ANY), 0);
  ASSERT_OK_AND_ASSIGN(const v1::Alert open, stream.WaitFor("", "self-tables", v1::Alert::OPEN));
  ExpectOfTheSensor(open, "the map state");
  StopDaemon();
}

TEST_F(SelfTest, APinThatIsRemovedIsTold) {
  ASSERT_OK_AND_ASSIGN(AlertStream stream, cli().Follow());
  ASSERT_TRUE(std::filesystem::remove(place().pin_root() + "/kvm/kvm_limits"));
  ASSERT_OK_AND_ASSIGN(const v1::Alert open, stream.WaitFor("", "self-pins", v1::Alert::OPEN));
  ExpectOfTheSensor(open, "/kvm_limits was removed");
  StopDaemon();
}

// The kernel refuses to detach a tracing program by its id, so this is how it can be done.
TEST_F(SelfTest, ALinkThatIsClosedIsTold) {
  ASSERT_OK_AND_ASSIGN(AlertStream stream, cli().Follow());
  const pid_t daemon = daemon_->process().pid();
  ASSERT_OK_AND_ASSIGN(const int link, FindDescriptor(daemon, "link_type:"));
  ASSERT_OK(CloseIn(daemon, link));
  ASSERT_OK_AND_ASSIGN(const v1::Alert open, stream.WaitFor("", "self-links", v1::Alert::OPEN));
  ExpectOfTheSensor(open, "is detached");
  StopDaemon();
}

TEST_F(SelfTest, AMapThatOnlyProgramsWriteIsFrozen) {
  const Fd losses = Pinned("kvm/kvm_losses");
  const uint32_t key = 0;
  const std::vector<char> ones(4096, 1);
  EXPECT_EQ(bpf_map_update_elem(losses.get(), &key, ones.data(), BPF_ANY), -EPERM);
}

// Each map is read whole, over more than two looks of the sensor at itself.
TEST_F(SelfTest, ReadingTheMapsIsNoTampering) {
  ASSERT_OK_AND_ASSIGN(Guest guest, StartGuest(Name("calm"), "--behaviour calm"));
  ASSERT_OK(guest.Begin());
  ASSERT_OK_AND_ASSIGN(AlertStream stream, cli().Follow());
  const absl::Time begun = absl::Now();
  while (absl::Now() < begun + absl::Seconds(5)) {
    for (const char* map :
         {"state", "kvm/kvm_losses", "kvm/vms", "kvm/vm_slots", "kvm/vcpu_slots"}) {
      ASSERT_OK_AND_ASSIGN(
          const Finished dump,
          RunToEnd({"/usr/sbin/bpftool", "map", "dump", "pinned", place().pin_root() + "/" + map}));
      ASSERT_EQ(dump.exit_code, 0) << dump.errors;
    }
  }
  ASSERT_OK(stream.ReadUpTo(absl::Now()));
  EXPECT_THAT(AlertsOf("", stream.alerts()), IsEmpty());
}

}  // namespace
}  // namespace kvmsentry
