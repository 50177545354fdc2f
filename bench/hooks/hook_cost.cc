// What each hot BPF program costs: nanoseconds a run above an empty program on the same tracepoint,
// in the same run of the same guest.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <optional>

#include <bpf/bpf.h>

#include "absl/strings/str_format.h"

#include "bench/support/pin_root.h"
#include "bench/support/program_cost.h"
#include "empty.skel.h"
#include "sensor/probe/bpf_object.h"
#include "sensor/source/registry.h"
#include "tests/support/guest.h"
#include "vcpu_argument.skel.h"

namespace kvmsentry {
namespace {

constexpr int kRounds = 8;
constexpr MapSizes kSizes{.max_vms = 64, .max_vcpus = 256, .ring_bytes = 64 << 10};

struct Case {
  const char* what;
  const char* behaviour;
  const char* program;  // as far as the kernel keeps names
  const char* empty;
};
constexpr Case kCases[] = {
    {"kvm_pio", "pio", "kvm_pio_tp_btf", "empty_pio"},
    {"kvm_mmio", "mmio", "kvm_mmio_tp_btf", "empty_mmio"},
    {"kvm_msr", "msr", "kvm_msr_tp_btf", "empty_msr"},
    {"kvm_userspace_exit", "userspace-exit", "kvm_userspace_e", "empty_userspace"},
};
constexpr Case kArgumentCase[] = {
    {"kvm_exit (vCPU argument)", "msr", "vcpu_argument", "empty_msr"},
};

// Samples of ns a run: of a program, and of the empty one beside it.
struct Samples {
  std::vector<double> program, empty;
};

double Median(std::vector<double> values) {
  std::ranges::sort(values);
  return values.empty() ? 0 : values[values.size() / 2];
}

template <typename Bytes>
absl::StatusOr<BpfObject> LoadObject(const char* name, Bytes bytes,
                                     const std::vector<std::string>& programs) {
  size_t size = 0;
  const auto* start = static_cast<const char*>(bytes(&size));
  static const MapPlan plan(kPinRoot, kSizes, {});
  KVMSENTRY_ASSIGN_OR_RETURN(BpfObject object, BpfObject::Open(name, {start, size}, plan));
  KVMSENTRY_RETURN_IF_ERROR(object.Load(programs));
  return object;
}

absl::StatusOr<BpfObject> AttachEmpty() {
  const std::vector<std::string> programs = {"empty_pio", "empty_mmio", "empty_msr",
                                             "empty_userspace_exit"};
  KVMSENTRY_ASSIGN_OR_RETURN(BpfObject object, LoadObject("empty", empty_bpf__elf_bytes, programs));
  for (const std::string& program : programs) {
    KVMSENTRY_RETURN_IF_ERROR(object.Attach(program));
  }
  return object;
}

// The only vCPU of the guest, which waits.
absl::StatusOr<uint64_t> VcpuOf(const Sources& sources, pid_t pid) {
  const KvmTables& tables = sources.kvm().tables();
  for (const ks_vm_row& vm : tables.vms()) {
    if (vm.state != KS_VM_ALIVE || vm.creator_pid != static_cast<uint32_t>(pid)) continue;
    for (const ks_vcpu_row& vcpu : tables.vcpus()) {
      if (vcpu.vm_serial == vm.serial) return vcpu.vcpu;
    }
  }
  return absl::NotFoundError("the guest's vCPU was not registered");
}

absl::StatusOr<BpfObject> AttachVcpuArgument(uint64_t vcpu) {
  KVMSENTRY_ASSIGN_OR_RETURN(
      BpfObject object,
      LoadObject("vcpu_argument", vcpu_argument_bpf__elf_bytes, {"vcpu_argument"}));
  const uint32_t key = 0;
  if (bpf_map_update_elem(object.MapFd(".data.bench"), &key, &vcpu, BPF_ANY) != 0) {
    return absl::ErrnoToStatus(errno, "telling the program its vCPU");
  }
  KVMSENTRY_RETURN_IF_ERROR(object.Attach("vcpu_argument"));
  return object;
}

absl::Status RunCase(const Case& c, const Sources& sources, uint64_t count, Samples& samples) {
  KVMSENTRY_ASSIGN_OR_RETURN(
      Guest guest,
      Guest::Start(absl::StrFormat("--behaviour %s --count %d --then exit", c.behaviour, count)));
  std::optional<BpfObject> argument;
  if (std::string_view(c.program) == "vcpu_argument") {
    KVMSENTRY_ASSIGN_OR_RETURN(const uint64_t vcpu, VcpuOf(sources, guest.pid()));
    KVMSENTRY_ASSIGN_OR_RETURN(argument, AttachVcpuArgument(vcpu));
  }
  const auto before = ReadProgramStats();
  KVMSENTRY_RETURN_IF_ERROR(guest.Begin());
  KVMSENTRY_RETURN_IF_ERROR(guest.Finish().status());
  const auto after = ReadProgramStats();
  const auto per_run = [&](const char* program) {
    const ProgramStats now = after.contains(program) ? after.at(program) : ProgramStats{};
    const ProgramStats then = before.contains(program) ? before.at(program) : ProgramStats{};
    return static_cast<double>(now.ns - then.ns) /
           std::max<double>(1, static_cast<double>(now.runs - then.runs));
  };
  samples.program.push_back(per_run(c.program));
  samples.empty.push_back(per_run(c.empty));
  return absl::OkStatus();
}

// The program that is attached first warms the caches for the other, so they take turns.
absl::Status RunRound(bool empty_first, std::span<const Case> cases,
                      const std::map<std::string, std::vector<Variant>>& variants, uint64_t count,
                      std::map<std::string, Samples>& samples) {
  std::optional<BpfObject> empty;
  if (empty_first) {
    KVMSENTRY_ASSIGN_OR_RETURN(empty, AttachEmpty());
  }
  KVMSENTRY_ASSIGN_OR_RETURN(
      const std::unique_ptr<Sources> sources,
      Sources::Open({.pin_root = kPinRoot, .sizes = kSizes, .variants = variants}));
  if (!empty_first) {
    KVMSENTRY_ASSIGN_OR_RETURN(empty, AttachEmpty());
  }
  for (const Case& c : cases) {
    KVMSENTRY_RETURN_IF_ERROR(RunCase(c, *sources, count, samples[c.what]));
  }
  return absl::OkStatus();
}

absl::Status Run(uint64_t count) {
  KVMSENTRY_ASSIGN_OR_RETURN(const Fd stats, EnableProgramStats());
  std::map<std::string, Samples> samples;
  for (int round = 0; round < kRounds; ++round) {
    const bool empty_first = round % 2 == 0;
    KVMSENTRY_RETURN_IF_ERROR(RunRound(empty_first, kCases, {}, count, samples));
    KVMSENTRY_RETURN_IF_ERROR(Unpin(kPinRoot));
    // Without the sensor's own program there, which would warm the vCPU's row.
    KVMSENTRY_RETURN_IF_ERROR(
        RunRound(empty_first, kArgumentCase, {{"kvm_msr", {}}}, count, samples));
    KVMSENTRY_RETURN_IF_ERROR(Unpin(kPinRoot));
  }
  std::printf("%-28s %10s %10s %10s\n", "program", "ns a run", "empty", "above");
  for (const auto& [what, s] : samples) {
    const double program = Median(s.program);
    const double empty = Median(s.empty);
    std::printf("%-28s %10.1f %10.1f %10.1f\n", what.c_str(), program, empty, program - empty);
  }
  std::printf("medians of %d rounds of %lu operations\n", kRounds, count);
  return absl::OkStatus();
}

}  // namespace
}  // namespace kvmsentry

int main(int argc, char** argv) {
  const uint64_t count = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 100000;
  const absl::Status status = kvmsentry::Run(count);
  kvmsentry::Unpin(kvmsentry::kPinRoot).IgnoreError();
  if (status.ok()) return 0;
  std::fprintf(stderr, "bench_hook_cost: %s\n", std::string(status.message()).c_str());
  return 1;
}
