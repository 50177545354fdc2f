#include "tests/scenario/debian_guest.h"

#include <algorithm>
#include <fstream>
#include <iostream>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_format.h"

#include "tests/e2e/run.h"
#include "tests/scenario/bridge.h"
#include "tests/scenario/needs.h"

namespace kvmsentry::scenario {
namespace {

// A guest boots in 10 to 13 s in the lab, and two of them at once share its two CPUs with the host.
constexpr absl::Duration kBootPatience = absl::Seconds(120);

// Made once a process: it is the same for all guests.
absl::StatusOr<std::string> Initrd() {
  static const auto* const made = new absl::StatusOr<TempDir>(TempDir::Make());
  KVMSENTRY_RETURN_IF_ERROR(made->status());
  static const auto* const finished = new absl::StatusOr<Finished>(
      RunToEnd({KVMSENTRY_DEBIAN_INITRD, GuestKernel(), KVMSENTRY_PORTS, **made / "initrd"}));
  KVMSENTRY_RETURN_IF_ERROR(finished->status());
  if ((*finished)->exit_code == 0) return **made / "initrd";
  return absl::InternalError(absl::StrCat("debian/initrd: ", (*finished)->errors));
}

// $0 is a folder, and what follows is a command line of QEMU. Stands in for a QEMU that has become
// a daemon: has its console, ends when it ends, and has it killed when nobody writes any more, for
// a daemon does not die with who started it.
constexpr char kConsole[] = R"(
mkfifo "$0/console.in" "$0/console.out" && "$@" </dev/null || exit
qemu=$(cat "$0/pid")
exec 3<&0
{ cat >"$0/console.in"; kill -KILL "$qemu"; } <&3 &
cat "$0/console.out"
kill $!
)";

std::string KernelCommandLine(const Machine& machine) {
  return absl::StrFormat(
      "console=ttyS0 quiet panic=-1 mitigations=off host=%s address=10.213.91.%d does=\"%s\"",
      Bridge::kHostAddress, 100 + machine.number, machine.does);
}

std::vector<std::string> CommandLine(const Machine& machine, const std::string& initrd,
                                     const TempDir& folder, bool receives) {
  std::vector<std::string> command = {
      "qemu-system-x86_64", "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none",
      "-M", "q35", "-accel", "kvm",
      // The lab's emulator of SVM gives its guests a state of XSAVE that Linux 7.3 cannot begin
      // with; this model has none, nor what needs it.
      "-cpu", "qemu64,-svm", "-m", "192", "-smp", absl::StrCat(machine.vcpus), "-name",
      machine.name, "-uuid", absl::StrFormat("00000000-0000-4000-8000-%012d", machine.number),
      "-kernel", absl::StrCat(GuestKernel(), "/vmlinux"), "-initrd", initrd, "-append",
      KernelCommandLine(machine), "-serial",
      machine.daemonized ? absl::StrCat("pipe:", folder / "console") : "stdio", "-qmp",
      absl::StrCat("unix:", folder / "qmp", ",server=on,wait=off")};
  const auto add = [&](const char* option, std::string value) {
    command.insert(command.end(), {option, std::move(value)});
  };
  if (!machine.tap.empty()) {
    const std::string scripts =
        machine.network_script.empty()
            ? "script=no,downscript=no"
            : absl::StrCat("script=", machine.network_script, ",downscript=/etc/qemu-ifdown");
    add("-netdev", absl::StrCat("tap,id=net,", scripts, ",vhost=on,ifname=", machine.tap));
    add("-device", absl::StrFormat("virtio-net-pci,netdev=net,romfile=,mac=52:54:00:00:00:%02d",
                                   machine.number));
  }
  if (!machine.socket.empty()) {
    add("-netdev",
        absl::StrCat("stream,id=helped,server=on,addr.type=unix,addr.path=", machine.socket));
    add("-device", "virtio-net-pci,netdev=helped,romfile=");
  }
  if (machine.user_network) {
    add("-netdev", "user,id=user");
    add("-device", "virtio-net-pci,netdev=user,romfile=");
  }
  if (!machine.disk.empty()) {
    // Source and destination of a migration have it open at the same time.
    add("-blockdev",
        absl::StrCat("driver=file,node-name=disk,locking=off,filename=", machine.disk));
    add("-device",
        absl::StrCat("virtio-blk-pci,drive=disk", machine.disk_shared ? ",share-rw=on" : ""));
  }
  if (!machine.floppy.empty()) {
    add("-drive", absl::StrCat("if=none,id=floppy,format=raw,file=", machine.floppy));
    add("-device", "isa-fdc");
    add("-device", "floppy,drive=floppy");
  }
  if (!machine.folder.empty()) {
    add("-virtfs",
        absl::StrCat("local,mount_tag=shared,security_model=none,path=", machine.folder));
  }
  if (receives) add("-incoming", "defer");
  if (machine.daemonized) {
    add("-pidfile", folder / "pid");
    command.emplace_back("-daemonize");
    command.insert(command.begin(), {"sh", "-c", kConsole, folder.path()});
  }
  return command;
}

// Of what QEMU noted in FOLDER.
absl::StatusOr<pid_t> DaemonIn(const TempDir& folder) {
  pid_t pid = 0;
  if (std::ifstream(folder / "pid") >> pid) return pid;
  return absl::NotFoundError(absl::StrCat(folder / "pid", ": no number in it"));
}

}  // namespace

DebianGuest::DebianGuest(Machine machine, TempDir folder, Process process, Qmp qmp, pid_t pid)
    : machine_(std::move(machine)),
      folder_(std::move(folder)),
      process_(std::move(process)),
      qmp_(std::move(qmp)),
      pid_(pid) {}

absl::StatusOr<DebianGuest> DebianGuest::Start(const Machine& machine, bool receives) {
  KVMSENTRY_ASSIGN_OR_RETURN(const std::string initrd, Initrd());
  KVMSENTRY_ASSIGN_OR_RETURN(TempDir folder, TempDir::Make());
  KVMSENTRY_ASSIGN_OR_RETURN(Process process,
                             Process::Start(CommandLine(machine, initrd, folder, receives)));
  absl::StatusOr<Qmp> qmp = Qmp::Connect(folder / "qmp");
  if (!qmp.ok()) return Annotate(qmp.status(), process.Errors());
  pid_t pid = process.pid();
  if (machine.daemonized) {
    KVMSENTRY_ASSIGN_OR_RETURN(pid, DaemonIn(folder));
  }
  return DebianGuest(machine, std::move(folder), std::move(process), *std::move(qmp), pid);
}

absl::StatusOr<DebianGuest> DebianGuest::Boot(const Machine& machine) {
  KVMSENTRY_ASSIGN_OR_RETURN(DebianGuest guest, Start(machine, false));
  const absl::Status booted = guest.WaitForLine("guest: ready");
  if (!absl::IsDeadlineExceeded(booted)) {
    KVMSENTRY_RETURN_IF_ERROR(booted);
    return guest;
  }
  // The lab's emulator of SVM hangs now and then; what is tested is not the emulator.
  std::cout << machine.name << " did not boot, tried again: " << booted.message() << std::endl;
  KVMSENTRY_RETURN_IF_ERROR(guest.Stop());
  KVMSENTRY_ASSIGN_OR_RETURN(guest, Start(machine, false));
  KVMSENTRY_RETURN_IF_ERROR(guest.WaitForLine("guest: ready"));
  return guest;
}

absl::StatusOr<DebianGuest> DebianGuest::Receiver(const Machine& machine) {
  return Start(machine, true);
}

absl::Status DebianGuest::MigrateTo(DebianGuest& to, bool postcopy) {
  const std::string channel = absl::StrCat("{\"uri\":\"unix:", to.folder_ / "migration", "\"}");
  if (postcopy) KVMSENTRY_RETURN_IF_ERROR(PreparePostcopy(to));
  KVMSENTRY_RETURN_IF_ERROR(to.qmp_.Execute("migrate-incoming", channel).status());
  KVMSENTRY_RETURN_IF_ERROR(qmp_.Execute("migrate", channel).status());
  if (postcopy) {
    KVMSENTRY_RETURN_IF_ERROR(qmp_.WaitFor("query-migrate", "status", "active"));
    KVMSENTRY_RETURN_IF_ERROR(qmp_.Execute("migrate-start-postcopy").status());
  }
  KVMSENTRY_RETURN_IF_ERROR(qmp_.WaitFor("query-migrate", "status", "completed"));
  if (postcopy) KVMSENTRY_RETURN_IF_ERROR(CheckPostcopy());
  // When the source has completed, the destination may not have begun.
  return to.qmp_.WaitFor("query-status", "status", "running");
}

absl::Status DebianGuest::PreparePostcopy(DebianGuest& to) {
  constexpr char kCapability[] = R"({"capabilities":[{"capability":"postcopy-ram","state":true}]})";
  for (Qmp* qmp : {&qmp_, &to.qmp_}) {
    KVMSENTRY_RETURN_IF_ERROR(qmp->Execute("migrate-set-capabilities", kCapability).status());
  }
  // So slow, 1 MiB/s, that it cannot be over before it is switched; then there is no limit.
  constexpr char kSlow[] = R"({"max-bandwidth":1048576,"max-postcopy-bandwidth":0})";
  return qmp_.Execute("migrate-set-parameters", kSlow).status();
}

// The destination has asked for pages: it ran before it had all of them.
absl::Status DebianGuest::CheckPostcopy() {
  KVMSENTRY_ASSIGN_OR_RETURN(const auto answer, qmp_.Execute("query-migrate"));
  const auto ram = answer.fields().find("ram");
  if (ram != answer.fields().end()) {
    const auto& fields = ram->second.struct_value().fields();
    const auto requests = fields.find("postcopy-requests");
    if (requests != fields.end() && requests->second.number_value() > 0) return absl::OkStatus();
  }
  return absl::InternalError(
      absl::StrCat("the migration ended without postcopy: ", answer.ShortDebugString()));
}

absl::Status DebianGuest::WaitForLine(absl::string_view text) {
  const absl::Time deadline = absl::Now() + kBootPatience;
  absl::Status problem = absl::DeadlineExceededError("nothing more comes");
  while (absl::Now() < deadline) {
    const absl::StatusOr<std::string> line = process_.ReadLine(deadline - absl::Now());
    if (!line.ok()) {
      problem = line.status();
      break;
    }
    absl::StrAppend(&console_, *line, "\n");
    if (absl::StrContains(*line, text)) return absl::OkStatus();
  }
  constexpr size_t kEnd = 2000;
  const size_t from = console_.size() - std::min(console_.size(), kEnd);
  return Annotate(problem, absl::StrCat("the console of ", machine_.name, " has no line \"", text,
                                        "\" but:\n", console_.substr(from)));
}

absl::Status DebianGuest::Command(absl::string_view command, absl::string_view arguments) {
  return qmp_.Execute(command, arguments.empty() ? "{}" : arguments).status();
}

absl::Status DebianGuest::Stop() {
  KVMSENTRY_RETURN_IF_ERROR(qmp_.Execute("quit").status());
  return WaitForEnd();
}

absl::Status DebianGuest::WaitForEnd() {
  absl::StatusOr<std::string> line = "";
  while (line.ok()) line = process_.ReadLine();
  KVMSENTRY_ASSIGN_OR_RETURN(const int status, process_.Wait());
  if (status == 0) return absl::OkStatus();
  return absl::InternalError(absl::StrCat("QEMU ended with ", status, ": ", process_.Errors()));
}

}  // namespace kvmsentry::scenario
