#include "tests/scenario/libvirt.h"

#include <csignal>
#include <fstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/substitute.h"

#include "tests/e2e/run.h"

namespace kvmsentry::scenario {
namespace {

// As Debian's libvirt-daemon-system sets it up, except that VMMs run as root.
constexpr char kSetUp[] = R"(
id libvirt-qemu >/dev/null 2>&1 || useradd -r -M libvirt-qemu
for folder in /etc /var/log /var/lib /var/cache; do mkdir -p $folder/libvirt/qemu; done
cat >/etc/libvirt/qemu.conf <<END
user = "root"
group = "root"
security_driver = "none"
cgroup_controllers = []
namespaces = []
stdio_handler = "file"
END
)";

// A SCSI controller takes disks while the domain runs.
constexpr char kDomain[] = R"(
<domain type='kvm'>
  <name>$0</name>
  <memory unit='MiB'>64</memory>
  <vcpu>1</vcpu>
  <os><type arch='x86_64' machine='q35'>hvm</type></os>
  <cpu mode='host-passthrough'/>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
    <controller type='usb' model='none'/>
    <controller type='scsi' model='virtio-scsi'/>
    <memballoon model='none'/>
  </devices>
</domain>
)";

absl::Status Virsh(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {"virsh", "-q", "-c", "qemu:///system"});
  return RunWell(arguments);
}

absl::StatusOr<Process> StartLibvirtd() {
  KVMSENTRY_ASSIGN_OR_RETURN(Process daemon, Process::Start({"libvirtd"}));
  absl::Status answer;
  const auto answers = [&answer] {
    answer = Virsh({"uri"});
    return answer.ok();
  };
  if (!WaitUntil(answers)) return Annotate(answer, daemon.Errors());
  return daemon;
}

}  // namespace

absl::StatusOr<Libvirt> Libvirt::Start() {
  KVMSENTRY_RETURN_IF_ERROR(RunWell({"sh", "-ec", kSetUp}));
  KVMSENTRY_ASSIGN_OR_RETURN(Process daemon, StartLibvirtd());
  return Libvirt(std::move(daemon));
}

Libvirt::~Libvirt() {
  for (const std::string& domain : domains_) Virsh({"destroy", domain}).IgnoreError();
}

absl::StatusOr<pid_t> Libvirt::Run(const std::string& name) {
  domains_.push_back(name);
  const std::string path = absl::StrCat("/run/", name, ".xml");
  std::ofstream file(path);
  file << absl::Substitute(kDomain, name);
  file.close();
  KVMSENTRY_RETURN_IF_ERROR(Virsh({"create", path}));
  const std::string noted = absl::StrCat("/run/libvirt/qemu/", name, ".pid");
  pid_t pid = 0;
  if (std::ifstream(noted) >> pid) return pid;
  return absl::NotFoundError(absl::StrCat(noted, ": no number in it"));
}

absl::Status Libvirt::Restart() {
  KVMSENTRY_RETURN_IF_ERROR(daemon_.Signal(SIGTERM));
  KVMSENTRY_RETURN_IF_ERROR(daemon_.Wait().status());
  KVMSENTRY_ASSIGN_OR_RETURN(daemon_, StartLibvirtd());
  return absl::OkStatus();
}

}  // namespace kvmsentry::scenario
