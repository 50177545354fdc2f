#include "tests/e2e/flood.h"

#include <cerrno>
#include <filesystem>
#include <stop_token>
#include <thread>
#include <utility>

#include <linux/kvm.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "absl/strings/numbers.h"

#include "tests/support/test_vm.h"
#include "tests/vhost/net_device.h"

namespace kvmsentry {
namespace {

constexpr absl::Duration kLongest = absl::Minutes(15);
constexpr size_t kMemory = 1 << 20;  // of a VM of this process

absl::Status EndedByItself() {
  return absl::DeadlineExceededError(
      absl::StrCat("the flood ended by itself, after ", absl::FormatDuration(kLongest)));
}

class GuestFlood final : public Flood {
 public:
  explicit GuestFlood(Guest guest) : guest_(std::move(guest)) {}
  pid_t pid() const { return guest_.pid(); }

  absl::StatusOr<uint64_t> Stop() override {
    if (absl::Now() >= end_) return EndedByItself();
    KVMSENTRY_RETURN_IF_ERROR(guest_.Stop());
    KVMSENTRY_ASSIGN_OR_RETURN(const GuestReport report, guest_.Finish());
    return report.operations;
  }

 private:
  Guest guest_;
  const absl::Time end_ = absl::Now() + kLongest;
};

// A thread of this process that does ONCE again and again.
class LoopFlood final : public Flood {
 public:
  explicit LoopFlood(std::function<absl::Status()> once)
      : once_(std::move(once)), thread_([this](const std::stop_token& stop) { Run(stop); }) {}

  absl::StatusOr<uint64_t> Stop() override {
    thread_.request_stop();
    thread_.join();
    if (!failure_.ok()) return failure_;
    return times_;
  }

 private:
  void Run(const std::stop_token& stop) {
    const absl::Time end = absl::Now() + kLongest;
    while (failure_.ok() && !stop.stop_requested()) {
      failure_ = absl::Now() < end ? once_() : EndedByItself();
      ++times_;
    }
  }

  const std::function<absl::Status()> once_;
  absl::Status failure_;  // the thread's until it is joined, as is times_
  uint64_t times_ = 0;
  std::jthread thread_;
};

absl::Status Trace(__ptrace_request request, pid_t thread, absl::string_view what) {
  if (ptrace(request, thread, nullptr, nullptr) == 0) return absl::OkStatus();
  return absl::ErrnoToStatus(errno, absl::StrCat(what, " of thread ", thread));
}

absl::Status StopAndLetGo(pid_t process) {
  const std::string tasks = absl::StrCat("/proc/", process, "/task");
  for (const auto& entry : std::filesystem::directory_iterator(tasks)) {
    pid_t thread = 0;
    if (!absl::SimpleAtoi(entry.path().filename().string(), &thread)) continue;
    KVMSENTRY_RETURN_IF_ERROR(Trace(PTRACE_SEIZE, thread, "PTRACE_SEIZE"));
    KVMSENTRY_RETURN_IF_ERROR(Trace(PTRACE_INTERRUPT, thread, "PTRACE_INTERRUPT"));
    if (waitpid(thread, nullptr, __WALL) != thread) return absl::ErrnoToStatus(errno, "waitpid");
    KVMSENTRY_RETURN_IF_ERROR(Trace(PTRACE_DETACH, thread, "PTRACE_DETACH"));
  }
  return absl::OkStatus();
}

// A guest in a storm that is traced all the while.
class TracedFlood final : public Flood {
 public:
  explicit TracedFlood(Guest guest)
      : guest_(std::move(guest)), tracing_([pid = guest_.pid()] { return StopAndLetGo(pid); }) {}

  absl::StatusOr<uint64_t> Stop() override {
    KVMSENTRY_ASSIGN_OR_RETURN(const uint64_t times, tracing_.Stop());
    KVMSENTRY_RETURN_IF_ERROR(guest_.Stop().status());
    return times;
  }

 private:
  GuestFlood guest_;
  LoopFlood tracing_;
};

absl::StatusOr<Guest> RunningGuest(const std::string& options) {
  KVMSENTRY_ASSIGN_OR_RETURN(Guest guest,
                             Guest::Start(absl::StrCat("--seconds ", absl::ToInt64Seconds(kLongest),
                                                       " --memory-kib 16384 ", options)));
  KVMSENTRY_RETURN_IF_ERROR(guest.Begin());
  return guest;
}

}  // namespace

FloodOr FloodByGuest(const std::string& options) {
  KVMSENTRY_ASSIGN_OR_RETURN(Guest guest, RunningGuest(options));
  return std::make_unique<GuestFlood>(std::move(guest));
}

FloodOr FloodOfVms() {
  KVMSENTRY_ASSIGN_OR_RETURN(TestMemory mapped, TestMemory::Map(kMemory));
  return std::make_unique<LoopFlood>([memory = std::make_shared<TestMemory>(std::move(mapped))] {
    return TestVm::Create(*memory).status();
  });
}

FloodOr FloodOfInterrupts() {
  KVMSENTRY_ASSIGN_OR_RETURN(TestMachine machine, TestMachine::Create(kMemory, /*irqchip=*/true));
  auto shared = std::make_shared<TestMachine>(std::move(machine));
  return std::make_unique<LoopFlood>([shared, level = 0U]() mutable {
    kvm_irq_level line{};
    line.irq = 5;
    line.level = level ^= 1;
    if (ioctl(shared->vm.vm(), KVM_IRQ_LINE, &line) == 0) return absl::OkStatus();
    return absl::ErrnoToStatus(errno, "KVM_IRQ_LINE");
  });
}

FloodOr FloodOfVhostKicks() {
  struct Sender {
    TestMachine machine;
    NetDevice net;  // goes before the memory that it works in
  };
  KVMSENTRY_ASSIGN_OR_RETURN(TestMachine machine, TestMachine::Create(kMemory));
  KVMSENTRY_ASSIGN_OR_RETURN(NetDevice net, NetDevice::Open(*machine.memory));
  auto sender = std::make_shared<Sender>(Sender{std::move(machine), std::move(net)});
  return std::make_unique<LoopFlood>([sender] { return sender->net.Send(1); });
}

FloodOr FloodOfVhostDevices() {
  KVMSENTRY_ASSIGN_OR_RETURN(TestMachine machine, TestMachine::Create(kMemory));
  auto vm = std::make_shared<TestMachine>(std::move(machine));
  return std::make_unique<LoopFlood>([vm] {
    KVMSENTRY_ASSIGN_OR_RETURN(NetDevice net, NetDevice::Open(*vm->memory));
    return net.SendNonsense();
  });
}

FloodOr FloodOfTracing() {
  KVMSENTRY_ASSIGN_OR_RETURN(Guest guest, RunningGuest("--behaviour pio"));
  return std::make_unique<TracedFlood>(std::move(guest));
}

}  // namespace kvmsentry
