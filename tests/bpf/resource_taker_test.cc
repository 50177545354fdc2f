// Who ran while a thread waited, beside how long it waited by /proc.
#include <chrono>

#include <bpf/bpf.h>
#include <sched.h>
#include <unistd.h>

#include "sensor/source/resource/survey_maps.h"
#include "tests/bpf/resource_fixture.h"
#include "tests/support/child.h"

namespace kvmsentry {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kSpell = std::chrono::milliseconds(20);
constexpr timespec kNap = {.tv_sec = 0, .tv_nsec = 5'000'000};

void RunOn(size_t cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  ASSERT_EQ(sched_setaffinity(0, sizeof(set), &set), 0) << "CPU " << cpu;
}

// Naps on CPU for good, and is never busy.
absl::StatusOr<Child> StartNapper(size_t cpu) {
  return Child::Fork([cpu](const Child::Pause& pause) {
    RunOn(cpu);
    pause();
    for (;;) nanosleep(&kNap, nullptr);
    return absl::OkStatus();
  });
}

// Runs on CPU in spells, before all others there.
absl::StatusOr<Child> StartHog(size_t cpu) {
  return Child::Fork([cpu](const Child::Pause& pause) -> absl::Status {
    RunOn(cpu);
    const sched_param first = {.sched_priority = 1};
    if (sched_setscheduler(0, SCHED_FIFO, &first) != 0) {
      return absl::ErrnoToStatus(errno, "SCHED_FIFO");
    }
    pause();
    for (;;) {
      for (const auto end = Clock::now() + kSpell; Clock::now() < end;) {
      }
      nanosleep(&kNap, nullptr);
    }
  });
}

uint64_t DelayOf(pid_t pid) {
  uint64_t ran = 0, waited = 0;
  std::ifstream(absl::StrCat("/proc/", pid, "/schedstat")) >> ran >> waited;
  return waited;
}

class ResourceTakerTest : public ResourceTest {
 protected:
  ResourceTakerTest() { objects_ = {"life", "taker"}; }
};

// It never stops running but to sleep, so each of its waits begins when it wakes up.
TEST_F(ResourceTakerTest, WhoWokeUpAndWaitedIsToldWhoRanInstead) {
  constexpr VmId kVictim{7};
  ASSERT_OK_AND_ASSIGN(Child napper, StartNapper(0));
  ASSERT_OK_AND_ASSIGN(Child hog, StartHog(0));
  std::optional<Child> elsewhere;  // where there is such a place
  if (sysconf(_SC_NPROCESSORS_ONLN) > 1) {
    ASSERT_OK_AND_ASSIGN(Child other, StartHog(1));
    elsewhere.emplace(std::move(other));
    ASSERT_OK(elsewhere->AwaitPause());
  }
  ASSERT_OK(napper.AwaitPause());
  ASSERT_OK(hog.AwaitPause());
  const int victims = probe().MapFd("resource_victims");
  const std::vector<Survey::Victim> victim = {{static_cast<uint32_t>(napper.pid()), kVictim}};
  ASSERT_OK(SetVictims(victims, {}, victim));
  const Fd link(bpf_raw_tracepoint_open(nullptr, probe().ProgramFd("sched_switch_while_waiting")));
  ASSERT_TRUE(link) << strerror(errno);

  const uint64_t before = DelayOf(napper.pid());
  ASSERT_OK(napper.Continue());
  ASSERT_OK(hog.Continue());
  if (elsewhere) {
    ASSERT_OK(elsewhere->Continue());
  }
  EXPECT_TRUE(WaitUntil([&] { return DelayOf(napper.pid()) > before + 200'000'000; }));

  std::map<uint32_t, uint64_t> by_process;
  uint64_t all = 0;
  const int map = probe().MapFd("resource_takers");
  for (ks_taker_key key{}, next{}; bpf_map_get_next_key(map, &key, &next) == 0; key = next) {
    ks_taker taker;
    if (next.victim != kVictim.serial || bpf_map_lookup_elem(map, &next, &taker) != 0) continue;
    by_process[next.tgid] += taker.ns;
    all += taker.ns;
  }
  const uint64_t after = DelayOf(napper.pid());
  EXPECT_LE(all, after - before);
  EXPECT_GE(by_process[static_cast<uint32_t>(hog.pid())], (after - before) / 2);
  if (elsewhere) {
    EXPECT_FALSE(by_process.contains(static_cast<uint32_t>(elsewhere->pid())));
  }
}

}  // namespace
}  // namespace kvmsentry
