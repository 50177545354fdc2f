// Memory in swap as passes find it, beside /proc/PID/status.
#include <array>

#include <sys/mman.h>
#include <sys/swap.h>
#include <unistd.h>

#include "tests/bpf/loop.h"
#include "tests/bpf/resource_fixture.h"
#include "tests/support/cgroup.h"
#include "tests/support/child.h"
#include "tests/support/small_vm.h"
#include "tests/support/temp_dir.h"

namespace kvmsentry {
namespace {

constexpr uint64_t kMib = 1 << 20;

// The first page of a swap device (include/linux/swap.h, union swap_header).
struct alignas(4096) SwapHeader {
  std::array<char, 1024> boot = {};
  uint32_t version = 1;
  uint32_t last_page = 0;
  uint32_t bad_pages = 0;
  std::array<char, 4096 - 1024 - 12 - 10> rest = {};
  std::array<char, 10> magic = {'S', 'W', 'A', 'P', 'S', 'P', 'A', 'C', 'E', '2'};
};
static_assert(sizeof(SwapHeader) == 4096);

// More swap than the host has, for as long as it lives.
class Swap {
 public:
  Swap(const std::string& image, uint64_t bytes) : loop_(OpenLoop(image, bytes)) {
    SwapHeader header;
    header.last_page = static_cast<uint32_t>(bytes / 4096 - 1);
    EXPECT_EQ(pwrite(loop_.fd.get(), &header, sizeof(header), 0), ssize_t{sizeof(header)});
    EXPECT_EQ(swapon(loop_.path.c_str(), 0), 0) << loop_.path << ": " << strerror(errno);
  }
  ~Swap() { swapoff(loop_.path.c_str()); }

 private:
  Loop loop_;
};

class ResourceSwapTest : public ResourceTest {
 protected:
  ResourceSwapTest() { objects_ = {"life", "resource"}; }
};

TEST_F(ResourceSwapTest, AProcessHasSwappedWhatItsStatusSays) {
  ASSERT_OK_AND_ASSIGN(const TempDir folder, TempDir::Make());
  const Swap swap(folder / "swap", 32 * kMib);
  ASSERT_OK_AND_ASSIGN(Child vmm, Child::Fork([](const Child::Pause& pause) -> absl::Status {
                         KVMSENTRY_ASSIGN_OR_RETURN(const SmallVm vm, SmallVm::Create());
                         void* memory = mmap(nullptr, 16 * kMib, PROT_READ | PROT_WRITE,
                                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
                         if (memory == MAP_FAILED) return absl::ErrnoToStatus(errno, "mmap");
                         if (madvise(memory, 16 * kMib, MADV_PAGEOUT) != 0) {
                           return absl::ErrnoToStatus(errno, "madvise");
                         }
                         pause();
                         return absl::OkStatus();
                       }));
  ASSERT_OK(vmm.AwaitPause());
  // As of resident memory, each CPU keeps a batch of the count to itself (resource_memory_test.cc).
  const auto cpus = static_cast<uint64_t>(sysconf(_SC_NPROCESSORS_ONLN));
  const uint64_t slack = cpus * std::max<uint64_t>(32, 2 * cpus) * 4096;
  const uint64_t swapped = PassOver(vmm.pid()).swapped;
  ASSERT_OK_AND_ASSIGN(const uint64_t kib,
                       NumberOf(absl::StrCat("/proc/", vmm.pid(), "/status"), "VmSwap:"));
  EXPECT_GE(swapped, 8 * kMib);
  EXPECT_NEAR(static_cast<double>(swapped), static_cast<double>(kib * 1024),
              static_cast<double>(slack));
  ASSERT_OK(vmm.Finish());
}

}  // namespace
}  // namespace kvmsentry
