// What each step does.
#include <filesystem>
#include <fstream>

#include <sys/stat.h>

#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"

#include "tests/e2e/run.h"
#include "tests/scenario/stage.h"

namespace kvmsentry::scenario {
namespace {

absl::Status MakeEmpty(const std::string& path, uint64_t size) {
  std::ofstream(path).close();
  std::error_code error;
  std::filesystem::resize_file(path, size, error);
  if (error) return absl::ErrnoToStatus(error.value(), absl::StrCat("making ", path));
  return absl::OkStatus();
}

}  // namespace

// Whatever a scenario's processes leave goes with its folder.
std::vector<std::string> Stage::InFolder() const {
  return {"env", absl::StrCat("TMPDIR=", folder_->path())};
}

// So that a program runs from a copy of that NAME; from its own file where it is empty.
std::vector<std::string> Stage::RunAs(const std::string& name) const {
  std::vector<std::string> prefix = InFolder();
  if (name.empty()) return prefix;
  const std::string copy = *folder_ / name;
  prefix.insert(prefix.end(), {"sh", "-c",
                               absl::StrCat("test -e ", copy, " || cp \"$0\" ", copy, "; exec ",
                                            copy, " \"$@\"")});
  return prefix;
}

absl::Status Stage::Start(const scenario::StartGuest& step) {
  KVMSENTRY_ASSIGN_OR_RETURN(Guest guest,
                             StartGuest(Name(step.vm()), step.options(), RunAs(step.as())));
  guests_.emplace(step.vm(), std::move(guest));
  return absl::OkStatus();
}

absl::Status Stage::Start(const scenario::StartVmm& step) {
  KVMSENTRY_ASSIGN_OR_RETURN(Guest vmm,
                             StartVmm(Name(step.vm()), step.options(), RunAs(step.as())));
  guests_.emplace(step.vm(), std::move(vmm));
  return absl::OkStatus();
}

absl::StatusOr<Machine> Stage::MakeMachine(const StartDebian& step) {
  Machine machine;
  const bool receives = !step.receives().empty();
  if (receives) machine = debians_.at(step.receives()).machine();
  const bool network = receives ? !machine.tap.empty() : step.vhost_net();
  machine.name = Name(step.vm());
  if (network) {
    if (!bridge_) {
      KVMSENTRY_ASSIGN_OR_RETURN(bridge_, Bridge::Make());
    }
    KVMSENTRY_ASSIGN_OR_RETURN(machine.tap, bridge_->AddTap());
  }
  if (receives) return machine;
  machine.number = static_cast<int>(debians_.size()) + 1;
  machine.vcpus = std::max(step.vcpus(), 1U);
  machine.does = step.does();
  if (step.disk()) {
    machine.disk = *folder_ / step.vm();
    KVMSENTRY_RETURN_IF_ERROR(MakeEmpty(machine.disk, 16 << 20));
  }
  machine.disk_shared = step.disk_shared() || !step.disk_of().empty();
  if (!step.disk_of().empty()) machine.disk = debians_.at(step.disk_of()).machine().disk;
  if (step.floppy()) {
    machine.floppy = *folder_ / absl::StrCat(step.vm(), "-floppy");
    KVMSENTRY_RETURN_IF_ERROR(MakeEmpty(machine.floppy, 1440 << 10));
  }
  if (step.folder()) {
    machine.folder = *folder_ / absl::StrCat(step.vm(), "-folder");
    if (mkdir(machine.folder.c_str(), S_IRWXU) != 0) {
      return absl::ErrnoToStatus(errno, machine.folder);
    }
  }
  if (step.net_socket()) machine.socket = *folder_ / absl::StrCat(step.vm(), ".sock");
  machine.user_network = step.user_network();
  machine.daemonized = step.daemonized();
  if (!step.network_script().empty()) {
    if (!network) return absl::InvalidArgumentError("a network_script is of a vhost_net");
    machine.network_script = *folder_ / step.network_script();
  }
  return machine;
}

absl::Status Stage::Start(const StartDebian& step) {
  KVMSENTRY_ASSIGN_OR_RETURN(const Machine machine, MakeMachine(step));
  KVMSENTRY_ASSIGN_OR_RETURN(DebianGuest guest, step.receives().empty()
                                                    ? DebianGuest::Boot(machine)
                                                    : DebianGuest::Receiver(machine));
  debians_.emplace(step.vm(), std::move(guest));
  return absl::OkStatus();
}

absl::Status Stage::Start(const StartDomain& step) {
  if (!libvirt_) {
    KVMSENTRY_ASSIGN_OR_RETURN(Libvirt started, Libvirt::Start());
    libvirt_.emplace(std::move(started));
  }
  KVMSENTRY_ASSIGN_OR_RETURN(domains_[step.vm()], libvirt_->Run(Name(step.vm())));
  return absl::OkStatus();
}

absl::Status Stage::Move(const Migrate& step) {
  return debians_.at(step.from())
      .MigrateTo(debians_.at(step.to()), step.mode() == Migrate::POSTCOPY);
}

absl::Status Stage::Begin(const std::string& vm) {
  if (debians_.contains(vm)) return debians_.at(vm).Begin();
  return guests_.at(vm).Begin();
}

absl::Status Stage::Stop(const std::string& vm) {
  if (debians_.contains(vm)) return debians_.at(vm).Stop();
  KVMSENTRY_RETURN_IF_ERROR(guests_.at(vm).Stop());
  return WaitEnd(vm);
}

absl::Status Stage::WaitEnd(const std::string& vm) {
  if (debians_.contains(vm)) return debians_.at(vm).WaitForEnd();
  return guests_.at(vm).Finish().status();
}

absl::Status Stage::Wait(const WaitVm& step) {
  const std::string name = Name(step.vm());
  if (step.gone()) {
    const auto gone = [&] {
      const auto vms = cli().Vms(name);
      return vms.ok() && vms->empty();
    };
    if (WaitUntil(gone)) return absl::OkStatus();
    return absl::DeadlineExceededError(absl::StrCat("VM ", name, " stays listed"));
  }
  const auto holds = [&](const v1::VmStatus& vm) {
    if (step.exited() && !vm.exited()) return false;
    if (step.vcpus() != 0 && vm.vcpus() != step.vcpus()) return false;
    if (step.has_seen_from_birth() && vm.seen_from_birth() != step.seen_from_birth()) return false;
    return std::ranges::all_of(step.count(), [&](const Count& count) { return Holds(count, vm); });
  };
  return WaitForVm(name, holds).status();
}

absl::Status Stage::Run(const RunOnHost& step) {
  std::vector<std::string> command = InFolder();
  const auto add = [&](const std::string& vm, pid_t pid) {
    const std::string variable = absl::StrReplaceAll(vm, {{"-", "_"}});
    command.push_back(absl::StrCat("PID_", variable, "=", pid));
    command.push_back(absl::StrCat("NAME_", variable, "=", Name(vm)));
  };
  command.push_back(absl::StrCat("CLIENT=", KVMSENTRY_CLIENT, " --socket ", place().socket()));
  if (daemon_) command.push_back(absl::StrCat("DAEMON=", daemon_->process().pid()));
  for (const auto& [vm, guest] : guests_) add(vm, guest.pid());
  for (const auto& [vm, guest] : debians_) add(vm, guest.pid());
  for (const auto& [vm, pid] : domains_) add(vm, pid);
  command.insert(command.end(),
                 {"sh", "-c", absl::StrCat(". " KVMSENTRY_HOST_FUNCTIONS "\n", step.command())});
  KVMSENTRY_ASSIGN_OR_RETURN(const Finished finished, RunToEnd(command));
  if (finished.exit_code == step.status()) return absl::OkStatus();
  return absl::InternalError(absl::StrCat("ended with ", finished.exit_code, ": ",
                                          absl::StrJoin(finished.lines, "\n"), finished.errors));
}

}  // namespace kvmsentry::scenario
