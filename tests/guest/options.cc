#include "tests/guest/options.h"

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include <CLI/CLI.hpp>

#include "tests/guest/option_checks.h"

namespace kvmsentry::guest {
namespace {

constexpr std::array<std::pair<Behaviour, const char*>, 16> kBehaviours = {{
    {Behaviour::kCalm, "calm"},
    {Behaviour::kSpin, "spin"},
    {Behaviour::kPio, "pio"},
    {Behaviour::kMmio, "mmio"},
    {Behaviour::kDoorbell, "doorbell"},
    {Behaviour::kMsr, "msr"},
    {Behaviour::kUserspaceExit, "userspace-exit"},
    {Behaviour::kCpuid, "cpuid"},
    {Behaviour::kTimer, "timer"},
    {Behaviour::kNested, "nested"},
    {Behaviour::kHypercall, "hypercall"},
    {Behaviour::kControl, "control"},
    {Behaviour::kLstar, "lstar"},
    {Behaviour::kWriteProtect, "write-protect"},
    {Behaviour::kSmi, "smi"},
    {Behaviour::kDirty, "dirty"},
}};

// A misplaced option is an error: a test that believes it set something must not pass for it.
struct Restricted {
  const char* option;
  std::vector<Behaviour> behaviours;
};

const std::vector<Restricted>& RestrictedOptions() {
  using enum Behaviour;
  static const auto* const kOptions = new std::vector<Restricted>{
      {"--port", {kPio}},
      {"--rep", {kPio}},
      {"--gpa", {kMmio, kDoorbell}},
      {"--pages", {kMmio, kDirty}},
      {"--msr", {kMsr}},
      {"--sweep", {kPio, kMsr}},
      {"--width", {kPio, kMmio}},
      {"--direction", {kPio, kMmio, kMsr}},
      {"--value", {kPio, kMmio, kMsr, kHypercall, kControl, kLstar}},
      {"--timer-ns", {kTimer}},
      {"--count",
       {kSpin, kPio, kMmio, kDoorbell, kMsr, kUserspaceExit, kCpuid, kTimer, kNested, kHypercall,
        kControl, kLstar, kWriteProtect, kSmi, kDirty}},
      {"--rate",
       {kSpin, kPio, kMmio, kDoorbell, kMsr, kUserspaceExit, kCpuid, kTimer, kNested, kHypercall,
        kControl, kLstar, kWriteProtect, kSmi, kDirty}},
      {"--then",
       {kSpin, kPio, kMmio, kDoorbell, kMsr, kUserspaceExit, kCpuid, kTimer, kNested, kHypercall,
        kControl, kLstar, kWriteProtect, kSmi, kDirty}},
  };
  return *kOptions;
}

// What CLI11 fills in; Finish() makes Options of it.
struct Raw {
  Options options;
  std::string behaviour;
  std::string direction;
  std::string then = "calm";
  std::string rewrite;
  std::string name;
  std::string cpu;
  std::string qmp;
};

std::vector<std::string> BehaviourNames() {
  std::vector<std::string> names;
  names.reserve(kBehaviours.size());
  for (const auto& [behaviour, name] : kBehaviours) names.emplace_back(name);
  return names;
}

std::unique_ptr<CLI::App> MakeApp(Raw& raw) {
  constexpr uint32_t kMaximumVcpus = 64;
  constexpr uint32_t kMaximumSeconds = 3600;
  constexpr uint64_t kMaximumRate = 1'000'000'000;
  auto app = std::make_unique<CLI::App>(
      "A guest of a few instructions on the raw KVM API, with one behaviour.",
      "kvmsentry-test-guest");
  Options& options = raw.options;
  Workload& workload = options.workload;

  app->add_option(
         "--behaviour", raw.behaviour,
         "calm: halt, about 98 exits a second. spin: loop without exits. pio, mmio, msr, cpuid: a "
         "storm of them. doorbell: each writes to --gpa, where the kernel takes it, as a virtio "
         "device's. userspace-exit: a storm of halts, each re-entered at once. timer: each halts "
         "until an interrupt of its own timer. nested: each enters a guest of its own (AMD). "
         "hypercall: of number --value (AMD). control: each turns over bits --value of CR4, or "
         "TSD. lstar: each writes another LSTAR, and a port. write-protect: each writes a port, "
         "256 with CR0.WP set, and 256 without. smi: each writes a port, and the VMM answers by a "
         "system management interrupt. dirty: each writes to memory, whose dirty pages the VMM "
         "gets by a dirty ring")
      ->check(CLI::IsMember(BehaviourNames()))
      ->required();

  app->add_option("--count", options.count, "Operations of each vCPU, exactly; 0: no limit")
      ->check(CLI::Range(uint64_t{0}, uint64_t{1} << 48))
      ->capture_default_str();
  app->add_option("--then", raw.then, "After --count operations: stay calm, or exit with status 0")
      ->check(CLI::IsMember({"calm", "exit"}))
      ->capture_default_str();
  app->add_option("--rate", options.rate,
                  "Operations a second of each vCPU, about; 0: as fast as possible")
      ->check(CLI::Range(uint64_t{0}, kMaximumRate))
      ->capture_default_str();

  app->add_option("--port", workload.port, "pio: the port")->default_str("0x3f8");
  app->add_option("--gpa", workload.gpa,
                  "mmio, doorbell: the guest-physical address, outside memory")
      ->default_str("0xd0000000");
  app->add_option("--pages", workload.pages,
                  "mmio, dirty: so many pages of 4 KiB are written to in turn, one byte each; of "
                  "mmio at --gpa, of dirty in memory from 2 MiB on")
      ->check(CLI::Range(1U, 262144U))
      ->capture_default_str();
  app->add_option("--msr", workload.msr, "msr: its number; an unknown one raises #GP, which counts")
      ->default_str("0x17a");
  app->add_option("--sweep", workload.sweep,
                  "pio, msr: so many are written to in turn, from --port or --msr on")
      ->check(CLI::Range(1U, UINT32_MAX))
      ->capture_default_str();
  app->add_option("--direction", raw.direction,
                  "pio: in or out; mmio, msr: read or write. Default: out, write");
  app->add_option("--width", workload.width, "pio: 1, 2 or 4 bytes; mmio: also 8")
      ->capture_default_str();
  app->add_option(
         "--value", workload.value,
         "pio, mmio, msr: what is written; lstar: only bits of it; control: bits to turn over")
      ->capture_default_str();
  app->add_option("--timer-ns", workload.timer_ns, "timer: how long each halt takes")
      ->check(CLI::Range(1'000U, 1'000'000'000U))
      ->capture_default_str();
  app->add_option("--rep", workload.rep,
                  "pio: string I/O with this many elements an instruction; an element is an "
                  "operation. 0: plain IN and OUT")
      ->capture_default_str();

  app->add_flag("--debugged", workload.debugged,
                "Have the VMM debug each vCPU, from its first run on: no breakpoint is set");
  app->add_option(
         "--rewrite", raw.rewrite,
         "Once each vCPU has come back ten times, its VMM writes its registers: unchanged, "
         "with another stack pointer, with another LSTAR, or the stack as a reset does")
      ->check(CLI::IsMember({"unchanged", "stack", "entry", "reset"}));
  app->add_option("--rewrites", workload.rewrites, "So often, at a return each")
      ->check(CLI::Range(1U, 1000U))
      ->capture_default_str();
  app->add_option("--vcpus", options.vcpus, "vCPUs of each VM, a thread each")
      ->check(CLI::Range(1U, kMaximumVcpus))
      ->capture_default_str();
  app->add_option("--vms", options.vms, "VMs in this process")
      ->check(CLI::Range(1U, kMaximumVcpus))
      ->capture_default_str();
  app->add_option("--calm-vms", options.calm_vms, "Calm VMs besides, of as many vCPUs")
      ->check(CLI::Range(0U, kMaximumVcpus))
      ->capture_default_str();
  app->add_option(
         "--hang", options.hang,
         "The last so many vCPUs of each VM hang in the VMM once they have come back to it")
      ->check(CLI::Range(0U, kMaximumVcpus))
      ->capture_default_str();
  app->add_option(
         "--spin", options.spin,
         "The last so many vCPUs of each VM spin in the VMM once they have come back to it")
      ->check(CLI::Range(0U, kMaximumVcpus))
      ->capture_default_str();
  app->add_option("--memory-kib", options.memory_kib, "Memory of each VM, a multiple of 4")
      ->capture_default_str();
  app->add_option("--memory-file", workload.memory_file,
                  "The memory is this file, which is made where it is missing, and stays open");
  app->add_flag("--one-thread", options.one_thread, "Run all vCPUs in turn on a single thread");

  app->add_option("--seconds", options.seconds, "End after this time, whatever happens")
      ->check(CLI::Range(1U, kMaximumSeconds))
      ->capture_default_str();
  app->add_flag("--detach", options.detach,
                "Outlive the parent process and the terminal; --seconds holds");
  app->add_option("--name", raw.name, "Has no effect; to be seen in the command line");
  app->add_option("--cpu", raw.cpu, "The same, as QEMU's");
  app->add_option("--qmp", raw.qmp, "The same, as QEMU's");
  app->add_flag("--wait", options.wait,
                "Print \"ready pid=...\" when all is set up, and begin at a newline on stdin");
  app->add_flag("--report", options.report, "Print a line of JSON at the end");
  return app;
}

absl::Status Invalid(absl::string_view message) { return absl::InvalidArgumentError(message); }

absl::Status CheckRestricted(const CLI::App& app, Behaviour behaviour) {
  for (const auto& [option, behaviours] : RestrictedOptions()) {
    const bool allowed =
        std::find(behaviours.begin(), behaviours.end(), behaviour) != behaviours.end();
    if (!allowed && app.get_option(option)->count() > 0) {
      return Invalid(
          absl::StrCat(option, " does not go with --behaviour ", BehaviourName(behaviour)));
    }
  }
  return absl::OkStatus();
}

absl::Status SetDirection(absl::string_view direction, Workload& workload) {
  if (direction.empty()) return absl::OkStatus();
  const bool pio = workload.behaviour == Behaviour::kPio;
  const absl::string_view read = pio ? "in" : "read";
  const absl::string_view write = pio ? "out" : "write";
  if (direction != read && direction != write) {
    return Invalid(absl::StrFormat("--direction of %s is %s or %s, not \"%s\"",
                                   BehaviourName(workload.behaviour), read, write, direction));
  }
  workload.write = direction == write;
  return absl::OkStatus();
}

absl::StatusOr<Options> Finish(const CLI::App& app, const Raw& raw) {
  Options options = raw.options;
  for (const auto& [behaviour, name] : kBehaviours) {
    if (raw.behaviour == name) options.workload.behaviour = behaviour;
  }
  if (raw.rewrite == "unchanged") options.workload.rewrite = Rewrite::kUnchanged;
  if (raw.rewrite == "stack") options.workload.rewrite = Rewrite::kStack;
  if (raw.rewrite == "entry") options.workload.rewrite = Rewrite::kEntry;
  if (raw.rewrite == "reset") options.workload.rewrite = Rewrite::kReset;
  options.then = raw.then == "exit" ? Then::kExit : Then::kCalm;

  const Behaviour behaviour = options.workload.behaviour;
  if (absl::Status status = CheckRestricted(app, behaviour); !status.ok()) return status;
  if (absl::Status status = SetDirection(raw.direction, options.workload); !status.ok()) {
    return status;
  }
  if (absl::Status status = CheckCombination(options); !status.ok()) return status;
  return options;
}

}  // namespace

absl::string_view BehaviourName(Behaviour behaviour) {
  for (const auto& [known, name] : kBehaviours) {
    if (known == behaviour) return name;
  }
  return "unknown";
}

absl::StatusOr<Options> ParseOptions(int argc, const char* const* argv) {
  Raw raw;
  const std::unique_ptr<CLI::App> app = MakeApp(raw);
  try {
    app->parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    raw.options.help = true;
    return raw.options;
  } catch (const CLI::ParseError& error) {
    return Invalid(error.what());
  }
  return Finish(*app, raw);
}

std::string HelpText() {
  Raw raw;
  return MakeApp(raw)->help();
}

}  // namespace kvmsentry::guest
