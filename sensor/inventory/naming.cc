#include "sensor/inventory/naming.h"

#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

#include "sensor/base/escape.h"
#include "sensor/inventory/qemu_value.h"

namespace kvmsentry {
namespace {

using Args = std::vector<std::string>;

absl::string_view Basename(absl::string_view path) {
  const size_t slash = path.rfind('/');
  return slash == absl::string_view::npos ? path : path.substr(slash + 1);
}

// "/run/ch/web.sock" is "web".
std::string Stem(absl::string_view path) {
  const absl::string_view base = Basename(path);
  return std::string(base.substr(0, base.rfind('.')));
}

// The program: the link in /proc, which a process cannot choose as freely as its arguments.
absl::string_view Program(const ProcessFacts& process) {
  const absl::string_view exe = ProgramPath(process);
  if (!exe.empty()) return Basename(exe);
  return process.args.empty() ? absl::string_view(process.comm) : Basename(process.args[0]);
}

std::string VmmOf(absl::string_view program) {
  if (absl::StartsWith(program, "qemu") || program == "kvm") return "qemu";
  for (const absl::string_view vmm : {"cloud-hypervisor", "firecracker", "crosvm"}) {
    if (absl::StartsWith(program, vmm)) return std::string(vmm);
  }
  return "unknown";
}

// The value of the last "OPTION VALUE" or "OPTION=VALUE" before a "--". Empty where there is none.
std::string ValueOf(const Args& args, absl::string_view option) {
  std::string value;
  for (size_t i = 1; i < args.size() && args[i] != "--"; ++i) {
    absl::string_view arg = args[i];
    if (!absl::ConsumePrefix(&arg, option)) continue;
    if (absl::ConsumePrefix(&arg, "=")) {
      value = std::string(arg);
    } else if (arg.empty() && i + 1 < args.size()) {
      value = args[++i];
    }
  }
  return value;
}

// KEY's value in "a=b,c=d", as cloud-hypervisor's option_parser reads it.
std::string KeyOf(absl::string_view list, absl::string_view key) {
  for (absl::string_view item : absl::StrSplit(list, ',')) {
    if (absl::ConsumePrefix(&item, key) && absl::ConsumePrefix(&item, "=")) {
      return std::string(item);
    }
  }
  return "";
}

// ---- QEMU ---------------------------------------------------------------------------------------

// guest= in a value of -name; its first item may go without the key (QEMU's system/vl.c,
// qemu_name_opts.implied_opt_name).
std::optional<std::string> QemuGuest(absl::string_view text) {
  std::optional<std::string> guest;
  for (bool first = true; !text.empty(); first = false) {
    const size_t key_end = text.find_first_of("=,");
    const bool has_key = key_end != absl::string_view::npos && text[key_end] == '=';
    const absl::string_view key = has_key ? text.substr(0, key_end) : "";
    if (has_key) text.remove_prefix(key_end + 1);
    std::string value = TakeQemuValue(&text);
    if (key == "guest" || (!has_key && first)) guest = std::move(value);
  }
  return guest;
}

// QEMU takes "--name" for "-name", has no "-name=X" (system/vl.c, lookup_opt), and merges several
// -name, the last of a key winning (util/qemu-option.c, qemu_opt_find).
void NameQemu(const Args& args, VmNaming* naming) {
  for (size_t i = 1; i + 1 < args.size(); ++i) {
    absl::string_view option = args[i];
    if (!absl::ConsumePrefix(&option, "-")) continue;
    absl::ConsumePrefix(&option, "-");
    if (option == "append") {
      ++i;  // the guest's kernel command line: whoever may set only that must not name the VM
    } else if (option == "name") {
      if (auto guest = QemuGuest(args[++i])) naming->name = *std::move(guest);
    } else if (option == "uuid") {
      naming->uuid = CanonicalUuid(args[++i]);
    }
  }
}

// ---- Cgroups ------------------------------------------------------------------------------------

// Kata's sandbox, from ".../kata_ID" (kata-containers src/runtime/pkg/resourcecontrol,
// RenameCgroupPath), from systemd's form of it "....slice/cri-containerd-kata_ID.scope" or
// "...:cri-containerd:kata_ID", or from "/kata_overhead/.../ID" (docs/design/host-cgroups.md).
std::string KataSandbox(absl::string_view cgroup) {
  absl::string_view last = Basename(cgroup);
  absl::ConsumeSuffix(&last, ".scope");
  constexpr absl::string_view kPrefix = "kata_";
  const size_t at = last.rfind(kPrefix);
  const bool starts =
      at == 0 || (at != absl::string_view::npos && (last[at - 1] == ':' || last[at - 1] == '-'));
  if (starts && last != "kata_overhead") {
    last.remove_prefix(at + kPrefix.size());
  } else if (!absl::StrContains(cgroup, "/kata_overhead/")) {
    return "";
  }
  return last.empty() ? "" : absl::StrCat("sandbox-", last);
}

// The systemd unit that holds only this VM, as far as its name can tell.
std::string UnitOf(absl::string_view cgroup) {
  absl::string_view unit = Basename(cgroup);
  if (!absl::ConsumeSuffix(&unit, ".service") && !absl::ConsumeSuffix(&unit, ".scope")) return "";
  if (unit == "init" || absl::StartsWith(unit, "session-")) return "";
  return std::string(unit);
}

std::string NameCloudHypervisor(const ProcessFacts& process) {
  if (std::string sandbox = KataSandbox(process.cgroup); !sandbox.empty()) return sandbox;
  // "--api-socket PATH", "path=PATH" or "fd=N" (cloud-hypervisor/src/main.rs).
  absl::string_view socket;
  const std::string option = ValueOf(process.args, "--api-socket");
  socket = option;
  if (absl::StartsWith(socket, "fd=")) return UnitOf(process.cgroup);
  absl::ConsumePrefix(&socket, "path=");
  // Kata's sockets are all called alike, in a directory of the sandbox's name
  // (src/runtime/virtcontainers/clh.go).
  if (absl::ConsumePrefix(&socket, "/run/vc/vm/")) {
    return absl::StrCat("sandbox-", socket.substr(0, socket.find('/')));
  }
  std::string stem = Stem(socket);
  return stem.empty() ? UnitOf(process.cgroup) : stem;
}

std::string NameFirecracker(const ProcessFacts& process) {
  // "--id ID" (firecracker/src/main.rs); older jailers pass "--id=ID" (jailer/src/env.rs).
  std::string name = ValueOf(process.args, "--id");
  if (name.empty()) name = KataSandbox(process.cgroup);
  if (name.empty()) name = Stem(ValueOf(process.args, "--api-sock"));
  return name;
}

std::string NameCrosvm(const ProcessFacts& process) {
  std::string name = ValueOf(process.args, "--name");
  // crosvm's src/crosvm/cmdline.rs: "-s, --socket PATH".
  if (name.empty()) name = Stem(ValueOf(process.args, "--socket"));
  if (name.empty()) name = Stem(ValueOf(process.args, "-s"));
  return name;
}

std::string NameOther(const ProcessFacts& process) {
  std::string name = ValueOf(process.args, "--name");
  if (name.empty()) name = ValueOf(process.args, "-name");
  if (name.empty()) name = KataSandbox(process.cgroup);
  return name;
}

}  // namespace

absl::string_view ProgramPath(const ProcessFacts& process) {
  absl::string_view exe = process.exe;
  absl::ConsumeSuffix(&exe, " (deleted)");
  return exe;
}

VmNaming NameVm(const ProcessFacts& process) {
  VmNaming naming;
  naming.vmm = VmmOf(Program(process));
  if (naming.vmm == "qemu") {
    NameQemu(process.args, &naming);
    if (naming.name.empty()) naming.name = KataSandbox(process.cgroup);
  } else if (naming.vmm == "cloud-hypervisor") {
    naming.name = NameCloudHypervisor(process);
    naming.uuid = CanonicalUuid(KeyOf(ValueOf(process.args, "--platform"), "uuid"));
  } else if (naming.vmm == "firecracker") {
    naming.name = NameFirecracker(process);
  } else if (naming.vmm == "crosvm") {
    naming.name = NameCrosvm(process);
  } else {
    naming.name = NameOther(process);
  }
  naming.chosen = !naming.name.empty();
  naming.name = naming.chosen ? Escape(naming.name) : NameUnknownVm(process.pid).name;
  return naming;
}

VmNaming NameUnknownVm(int32_t pid) {
  return {.name = absl::StrCat("vm-", pid), .uuid = "", .vmm = "unknown", .chosen = false};
}

std::string CanonicalUuid(absl::string_view text) {
  if (text.size() != 36) return "";
  for (size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[i] != '-' : !absl::ascii_isxdigit(static_cast<unsigned char>(text[i]))) {
      return "";
    }
  }
  return absl::AsciiStrToLower(text);
}

}  // namespace kvmsentry
