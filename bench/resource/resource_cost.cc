// What it costs to know what VMs use: the pass over 1,000 VMs of five threads, each in its own
// cgroup, and a look at each switch of tasks, which is only taken while a vCPU waits much.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include <bpf/bpf.h>
#include <poll.h>
#include <sched.h>
#include <unistd.h>

#include "absl/strings/str_format.h"

#include "bench/support/pin_root.h"
#include "bench/support/program_cost.h"
#include "sensor/source/registry.h"
#include "sensor/source/resource/survey_maps.h"
#include "sensor/source/resource/tables.h"
#include "tests/support/cgroup.h"
#include "tests/support/child.h"
#include "tests/support/small_vm.h"

namespace kvmsentry {
namespace {

constexpr int kVms = 1000;
constexpr uint32_t kVcpus = 4;  // and the VMM's main thread
constexpr int kPasses = 300;
constexpr auto kPause = std::chrono::milliseconds(5);
constexpr int kSwitches = 200'000;
// The kernel keeps so much of a program's name.
constexpr char kTaker[] = "sched_switch_wh";

using Clock = std::chrono::steady_clock;

absl::StatusOr<std::unique_ptr<Sources>> OpenSources() {
  ProbeOptions options;
  options.pin_root = kPinRoot;
  options.sizes = {.max_vms = 2 * kVms, .max_vcpus = 2 * kVms * kVcpus, .ring_bytes = 1 << 20};
  for (const Hook& hook : Hooks()) {
    const bool used = hook.bpf == "life" || hook.bpf == "resource" || hook.bpf == "taker";
    if (!used) options.variants.try_emplace(std::string(hook.name));
  }
  return Sources::Open(options);
}

struct Machine {
  Cgroup cpu, memory;
  Child vmm;
};

// Each of its vCPUs has run once, on a thread that then sleeps.
absl::Status BeVmm(const Child::Pause& pause) {
  KVMSENTRY_ASSIGN_OR_RETURN(const SmallVm vm, SmallVm::Create(kVcpus));
  std::vector<std::thread> threads;
  std::atomic<uint32_t> ran = 0;
  for (uint32_t vcpu = 0; vcpu < kVcpus; ++vcpu) {
    threads.emplace_back([&, vcpu] {
      vm.Run(vcpu, 1).IgnoreError();
      ++ran;
      poll(nullptr, 0, -1);
    });
  }
  while (ran < kVcpus) std::this_thread::yield();
  pause();
  _exit(0);  // the threads sleep for good
}

absl::StatusOr<Machine> MakeMachine() {
  KVMSENTRY_ASSIGN_OR_RETURN(Cgroup cpu, Cgroup::Make("cpu"));
  KVMSENTRY_ASSIGN_OR_RETURN(Cgroup memory, Cgroup::Make("memory"));
  KVMSENTRY_ASSIGN_OR_RETURN(Child vmm, Child::Fork(BeVmm));
  KVMSENTRY_RETURN_IF_ERROR(cpu.Add(vmm.pid()));
  KVMSENTRY_RETURN_IF_ERROR(memory.Add(vmm.pid()));
  KVMSENTRY_RETURN_IF_ERROR(vmm.AwaitPause());
  return Machine{std::move(cpu), std::move(memory), std::move(vmm)};
}

absl::Status MeasurePass(const Sources& sources) {
  const Pass pass(sources.probe().ProgramFd("resource_pass"), sources.probe().sizes());
  std::vector<double> micros;
  for (uint64_t number = 1; number <= kPasses; ++number) {
    const auto begin = Clock::now();
    KVMSENTRY_RETURN_IF_ERROR(pass.Run(number));
    micros.push_back(std::chrono::duration<double, std::micro>(Clock::now() - begin).count());
    std::this_thread::sleep_for(kPause);
  }
  std::ranges::sort(micros);
  std::printf("the pass over %d VMs of %u vCPUs: least %.0f us, median %.0f us, p99 %.0f us\n",
              kVms, kVcpus, micros[0], micros[micros.size() / 2], micros[micros.size() * 99 / 100]);
  return absl::OkStatus();
}

// Two threads on one CPU that wake each other in turn. The first is named to the kernel as a vCPU
// that waits. Returns nanoseconds a switch.
absl::StatusOr<double> PingPong(int victims) {
  int there[2], back[2];
  if (pipe(there) != 0 || pipe(back) != 0) return absl::ErrnoToStatus(errno, "pipe");
  cpu_set_t first;
  CPU_ZERO(&first);
  CPU_SET(0, &first);
  const auto pin = [&first] { sched_setaffinity(0, sizeof(first), &first); };
  std::thread echo([&] {
    pin();
    for (char c; read(there[0], &c, 1) == 1;) {
      if (write(back[1], &c, 1) != 1) return;
    }
  });
  double ns = 0;
  std::thread call([&] {
    pin();
    const std::vector<Survey::Victim> victim = {{static_cast<uint32_t>(gettid()), VmId{1}}};
    SetVictims(victims, {}, victim).IgnoreError();
    const auto begin = Clock::now();
    for (int i = 0; i < kSwitches / 2; ++i) {
      char c = 0;
      if (write(there[1], &c, 1) != 1 || read(back[0], &c, 1) != 1) return;
    }
    ns = std::chrono::duration<double, std::nano>(Clock::now() - begin).count() / kSwitches;
    SetVictims(victims, victim, {}).IgnoreError();
  });
  call.join();
  close(there[1]);
  echo.join();
  for (const int fd : {there[0], back[0], back[1]}) close(fd);
  return ns;
}

absl::Status MeasureSwitches(const Sources& sources) {
  const int victims = sources.probe().MapFd("resource_victims");
  const int program = sources.probe().ProgramFd("sched_switch_while_waiting");
  KVMSENTRY_ASSIGN_OR_RETURN(double without, PingPong(victims));
  double with = 0;
  {
    const Fd link(bpf_raw_tracepoint_open(nullptr, program));
    if (!link) return absl::ErrnoToStatus(errno, "attaching to sched_switch");
    KVMSENTRY_ASSIGN_OR_RETURN(with, PingPong(victims));
  }
  KVMSENTRY_ASSIGN_OR_RETURN(const Fd statistics, EnableProgramStats());
  KVMSENTRY_RETURN_IF_ERROR(PingPong(victims).status());
  const ProgramStats at_rest = ReadProgramStats()[kTaker];
  const Fd link(bpf_raw_tracepoint_open(nullptr, program));
  KVMSENTRY_RETURN_IF_ERROR(PingPong(victims).status());
  const ProgramStats during = ReadProgramStats()[kTaker];
  std::printf(
      "a switch of tasks where nothing deviates: %.0f ns; the program ran %lu times in %d\n",
      without, at_rest.runs, kSwitches);
  std::printf(
      "a switch while a vCPU waits much: %.0f ns; the program takes %.0f ns with statistics\n",
      with,
      during.runs == 0 ? 0.0 : static_cast<double>(during.ns) / static_cast<double>(during.runs));
  return absl::OkStatus();
}

absl::Status Run() {
  KVMSENTRY_ASSIGN_OR_RETURN(const std::unique_ptr<Sources> sources, OpenSources());
  KVMSENTRY_RETURN_IF_ERROR(MeasureSwitches(*sources));
  std::vector<Machine> machines;
  machines.reserve(kVms);
  for (int i = 0; i < kVms; ++i) {
    absl::StatusOr<Machine> machine = MakeMachine();
    if (!machine.ok()) return Annotate(machine.status(), absl::StrCat("VM ", i));
    machines.push_back(*std::move(machine));
  }
  KVMSENTRY_RETURN_IF_ERROR(MeasurePass(*sources));
  for (Machine& machine : machines) KVMSENTRY_RETURN_IF_ERROR(machine.vmm.Finish());
  return absl::OkStatus();
}

}  // namespace
}  // namespace kvmsentry

int main() {
  absl::Status status = kvmsentry::Run();
  status.Update(kvmsentry::Unpin(kvmsentry::kPinRoot));
  if (status.ok()) return 0;
  std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return 1;
}
