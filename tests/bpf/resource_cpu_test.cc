// CPU time, waiting and throttling as passes find them, beside /proc and the files of cgroups.
#include <filesystem>

#include "tests/bpf/resource_fixture.h"

namespace kvmsentry {
namespace {

// The first two numbers of /proc/PID/task/TID/schedstat (Documentation/scheduler/sched-stats.rst).
struct Times {
  uint64_t ran = 0;
  uint64_t waited = 0;
};

Times TimesOf(pid_t pid, const std::string& tid) {
  Times times;
  std::ifstream(absl::StrCat("/proc/", pid, "/task/", tid, "/schedstat")) >> times.ran >>
      times.waited;
  return times;
}

std::map<uint32_t, Times> TimesOfThreads(pid_t pid) {
  std::map<uint32_t, Times> times;
  for (const auto& task :
       std::filesystem::directory_iterator(absl::StrCat("/proc/", pid, "/task"))) {
    const std::string tid = task.path().filename();
    times[static_cast<uint32_t>(std::stoul(tid))] = TimesOf(pid, tid);
  }
  return times;
}

uint64_t Sum(const std::map<uint32_t, Times>& threads) {
  uint64_t sum = 0;
  for (const auto& [tid, times] : threads) sum += times.ran;
  return sum;
}

class ResourceCpuTest : public ResourceTest {
 protected:
  ResourceCpuTest() { objects_ = {"life", "resource"}; }
};

TEST_F(ResourceCpuTest, ThreadsRunAndWaitAsProcSays) {
  // Both on one CPU: they wait for each other.
  ASSERT_OK_AND_ASSIGN(Guest guest,
                       Guest::Start("--behaviour spin --vcpus 2", {"taskset", "-c", "0"}));
  ASSERT_OK(guest.Begin());
  uint64_t compared = 0, first = 0, last = 0, waited = 0;
  const bool much = WaitUntil([&] {
    const std::map<uint32_t, Times> before = TimesOfThreads(guest.pid());
    const ks_resource_vm row = PassOver(guest.pid());
    const std::vector<ResourceTables::Vcpu> vcpus = tables_->Vcpus();
    const std::map<uint32_t, Times> after = TimesOfThreads(guest.pid());
    EXPECT_GE(row.run, Sum(before));
    EXPECT_LE(row.run, Sum(after));
    if (first == 0) first = row.run;
    last = row.run;
    waited = 0;
    for (const ResourceTables::Vcpu& vcpu : vcpus) {
      if (vcpu.row.vm_serial != row.vm_serial || !before.contains(vcpu.row.tid)) continue;
      ++compared;
      EXPECT_GE(vcpu.row.run, before.at(vcpu.row.tid).ran);
      EXPECT_LE(vcpu.row.run, after.at(vcpu.row.tid).ran);
      EXPECT_GE(vcpu.row.delay, before.at(vcpu.row.tid).waited);
      EXPECT_LE(vcpu.row.delay, after.at(vcpu.row.tid).waited);
      waited += vcpu.row.delay;
    }
    return (compared > 100 && waited > 50'000'000 && last - first > 50'000'000) || HasFailure();
  });
  EXPECT_TRUE(much) << compared << " vCPUs compared; waited " << waited << " ns";
}

// What CPU.STAT says of a group, in ns.
struct GroupTimes {
  uint64_t periods = 0, throttled_periods = 0, throttled_ns = 0, used_ns = 0;
};

TEST_F(ResourceCpuTest, AGroupIsUsedAndThrottledAsItsFilesSay) {
  ASSERT_OK_AND_ASSIGN(const Cgroup cpu, Cgroup::Make("cpu"));
  ASSERT_OK_AND_ASSIGN(const Cgroup accounts, Cgroup::Make("cpuacct"));
  const bool unified = Cgroup::IsUnified();
  if (unified) {
    ASSERT_OK(cpu.Write("cpu.max", "10000 50000"));
  } else {
    ASSERT_OK(cpu.Write("cpu.cfs_period_us", "50000"));
    ASSERT_OK(cpu.Write("cpu.cfs_quota_us", "10000"));
  }
  const auto number = [](const Cgroup& group, const char* file, const char* word) {
    const auto value = group.Read(file, word);
    EXPECT_TRUE(value.ok()) << value.status();
    return value.value_or(0);
  };
  const auto read = [&] {
    return GroupTimes{
        .periods = number(cpu, "cpu.stat", "nr_periods"),
        .throttled_periods = number(cpu, "cpu.stat", "nr_throttled"),
        .throttled_ns = unified ? number(cpu, "cpu.stat", "throttled_usec") * 1000
                                : number(cpu, "cpu.stat", "throttled_time"),
        .used_ns = unified ? number(cpu, "cpu.stat", "usage_usec") * 1000
                           : number(accounts, "cpuacct.usage", ""),
    };
  };
  const uint64_t rounding = unified ? 1000 : 0;  // the files count in microseconds

  ASSERT_OK_AND_ASSIGN(Guest guest, Guest::Start("--behaviour spin"));
  ASSERT_OK(cpu.Add(guest.pid()));
  if (!unified) {
    ASSERT_OK(accounts.Add(guest.pid()));
  }
  ASSERT_OK(guest.Begin());

  std::optional<GroupTimes> first_before, first_after;
  uint64_t first_run = 0;
  const bool much = WaitUntil([&] {
    const GroupTimes before = read();
    const ks_resource_vm row = PassOver(guest.pid());
    const GroupTimes after = read();
    EXPECT_EQ(row.quota, 10'000'000U);
    EXPECT_EQ(row.period, 50'000'000U);
    EXPECT_GE(row.periods, before.periods);
    EXPECT_LE(row.periods, after.periods);
    EXPECT_GE(row.periods_throttled, before.throttled_periods);
    EXPECT_LE(row.periods_throttled, after.throttled_periods);
    EXPECT_GE(row.throttled, before.throttled_ns);
    EXPECT_LE(row.throttled, after.throttled_ns + rounding);
    if (!first_before) {
      first_before = before;
      first_after = after;
      first_run = row.run;
      return false;
    }
    // What it ran before it came into the group is its own, but not the group's.
    EXPECT_GE(row.run - first_run + rounding, before.used_ns - first_after->used_ns);
    EXPECT_LE(row.run - first_run, after.used_ns - first_before->used_ns + rounding);
    return row.periods_throttled >= 10 || HasFailure();
  });
  EXPECT_TRUE(much) << "the group is not throttled";
}

}  // namespace
}  // namespace kvmsentry
