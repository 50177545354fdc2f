// What the sensor costs a process that has no VM: nanoseconds of its system calls, without the
// sensor, with it but for the source vmm, whose hooks see every process, and with all of it.
// Without BPF's statistics, which cost more than most hooks.
//
//   bench_bystander_cost [PERCENT]: so many of the calls; where the clock counts instructions, as
//   in the lab, 1 will do
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/support/pin_root.h"
#include "sensor/source/registry.h"
#include "sensor/source/vmm/bpf.h"

namespace kvmsentry {
namespace {

constexpr int kRounds = 7;
constexpr char kWritten[] = "/dev/shm/kvmsentry-bystander";
constexpr MapSizes kSizes{.max_vms = 64, .max_vcpus = 256, .ring_bytes = 64 << 10};

void Getpid() { syscall(SYS_getpid); }

void Open() { close(open("/etc/passwd", O_RDONLY | O_CLOEXEC)); }

// Of files that are opened to write the path may matter, so their opens pass more.
void OpenToWrite() { close(open(kWritten, O_WRONLY | O_CREAT | O_CLOEXEC, 0600)); }

void MakeSocket() { close(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)); }

// To itself, where it is dropped once there is no room for more.
void SendDatagram() {
  static const int fd = [] {
    const int made = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sockaddr_in any{};
    any.sin_family = AF_INET;
    any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    bind(made, reinterpret_cast<const sockaddr*>(&any), sizeof(any));
    return made;
  }();
  static const sockaddr_in itself = [] {
    sockaddr_in address{};
    socklen_t size = sizeof(address);
    getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
    return address;
  }();
  sendto(fd, "", 1, 0, reinterpret_cast<const sockaddr*>(&itself), sizeof(itself));
}

void Map() {
  constexpr size_t kPage = 4096;
  void* page = mmap(nullptr, kPage, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  munmap(page, kPage);
}

void Fork() {
  const pid_t child = fork();
  if (child == 0) _exit(0);
  waitpid(child, nullptr, 0);
}

struct Case {
  const char* what;
  void (*act)();
  int times;
};
constexpr std::array kCases = {
    Case{"getpid", Getpid, 1000000},
    Case{"open and close", Open, 200000},
    Case{"open to write, close", OpenToWrite, 200000},
    Case{"socket and close", MakeSocket, 200000},
    Case{"send a datagram", SendDatagram, 200000},
    Case{"mmap executable, munmap", Map, 200000},
    Case{"fork, exit, wait", Fork, 1000},
};

// Nanoseconds of one.
double Measure(const Case& c, int percent) {
  const int times = c.times / 100 * percent;
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < times; ++i) c.act();
  const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - begin;
  return took.count() / times;
}

double Median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

using Samples = std::map<std::string, std::vector<double>>;  // by case

void MeasureAll(int percent, Samples* samples) {
  for (const Case& c : kCases) (*samples)[c.what].push_back(Measure(c, percent));
}

absl::Status MeasureWith(std::map<std::string, std::vector<Variant>> variants, int percent,
                         Samples* samples) {
  {
    KVMSENTRY_ASSIGN_OR_RETURN(
        const std::unique_ptr<Sources> sources,
        Sources::Open({.pin_root = kPinRoot, .sizes = kSizes, .variants = std::move(variants)}));
    MeasureAll(percent, samples);
  }
  return Unpin(kPinRoot);
}

absl::Status Run(int percent) {
  std::map<std::string, std::vector<Variant>> without_vmm;
  for (const Hook& hook : VmmBpf().hooks) without_vmm[std::string(hook.name)] = {};
  Samples alone, before, after;
  for (int round = 0; round < kRounds; ++round) {
    MeasureAll(percent, &alone);
    KVMSENTRY_RETURN_IF_ERROR(MeasureWith(without_vmm, percent, &before));
    KVMSENTRY_RETURN_IF_ERROR(MeasureWith({}, percent, &after));
  }
  std::printf("%-26s %10s %14s %10s %10s\n", "ns of one", "alone", "without vmm", "with it",
              "vmm adds");
  for (const Case& c : kCases) {
    const double without = Median(before[c.what]), with = Median(after[c.what]);
    std::printf("%-26s %10.0f %14.0f %10.0f %10.0f\n", c.what, Median(alone[c.what]), without, with,
                with - without);
  }
  std::printf("medians of %d rounds\n", kRounds);
  return absl::OkStatus();
}

}  // namespace
}  // namespace kvmsentry

int main(int argc, char** argv) {
  const int percent = argc < 2 ? 100 : std::atoi(argv[1]);
  if (percent < 1 || percent > 100) {
    std::fprintf(stderr, "bench_bystander_cost [PERCENT]: 1 to 100\n");
    return 2;
  }
  const absl::Status status = kvmsentry::Run(percent);
  kvmsentry::Unpin(kvmsentry::kPinRoot).IgnoreError();
  unlink(kvmsentry::kWritten);
  if (status.ok()) return 0;
  std::fprintf(stderr, "bench_bystander_cost: %s\n", std::string(status.message()).c_str());
  return 1;
}
