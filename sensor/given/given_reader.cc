#include "sensor/given/given_reader.h"

#include <algorithm>
#include <array>
#include <climits>
#include <span>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "sensor/given/command_line.h"
#include "sensor/given/kubevirt.h"
#include "sensor/given/libvirt.h"
#include "sensor/given/merge.h"
#include "sensor/given/other_vmms.h"
#include "sensor/given/shown_text.h"
#include "sensor/inventory/files.h"
#include "sensor/inventory/naming.h"

namespace kvmsentry {
namespace {

constexpr size_t kMaxStat = 4096;
constexpr size_t kMaxStatus = 16 << 10;
constexpr size_t kMaxConfig = 256 << 10;
constexpr size_t kMaxDomain = 1 << 20;

// libvirt gives each QEMU a key of its own, by this name (src/qemu/qemu_domain.c).
bool IsStartedByLibvirt(const ProcessFacts& process) {
  return std::ranges::any_of(
      process.args, [](const std::string& arg) { return absl::StrContains(arg, "masterKey0"); });
}

// libvirt has systemd-machined, or where there is none makes itself, a cgroup for each VM
// (src/util/vircgroup.c): only a process with root's rights gets there.
bool IsInLibvirtsGroup(absl::string_view cgroup) {
  return absl::StartsWith(cgroup, "/machine.slice/machine-qemu") ||
         absl::StartsWith(cgroup, "/machine/qemu-");
}

// What may stand in a path: no name of a domain can lead elsewhere.
bool IsFileName(absl::string_view name) {
  return !name.empty() && name.size() <= NAME_MAX && name != "." && name != ".." &&
         !absl::StrContains(name, '/') && !absl::StrContains(name, '\\');
}

// The bridge that the interface is in, in this process's own network namespace.
std::string BridgeOf(const std::string& sys, const std::string& proc, const Device& tap) {
  struct stat own {};
  if (!IsFileName(tap.name)) return "";
  if (tap.net_ns != 0 && stat(absl::StrCat(proc, "/self/ns/net").c_str(), &own) == 0 &&
      own.st_ino != tap.net_ns) {
    return "";
  }
  std::array<char, PATH_MAX> target;
  const std::string link = absl::StrCat(sys, "/class/net/", tap.name, "/master");
  const ssize_t length = readlink(link.c_str(), target.data(), target.size());
  if (length <= 0) return "";
  const absl::string_view path(target.data(), static_cast<size_t>(length));
  return ShownText(path.substr(path.rfind('/') + 1));
}

// An image or a block device, or else a folder.
std::optional<FileId> FileAt(const std::string& path, bool folder, ProcessRoot& root) {
  const absl::StatusOr<Fd> found = root.Find(path);
  struct stat stat {};
  if (!found.ok() || fstat(found->get(), &stat) != 0) return std::nullopt;
  if (!folder && S_ISBLK(stat.st_mode)) return FileId{major(stat.st_rdev), minor(stat.st_rdev)};
  if (folder ? !S_ISDIR(stat.st_mode) : !S_ISREG(stat.st_mode)) return std::nullopt;
  return FileId{major(stat.st_dev), minor(stat.st_dev), stat.st_ino};
}

// SOCKETS and ROOT outlive the result.
Found FindAt(int directory, const DeviceList& devices, const GivenRoots& roots,
             const UnixSockets& sockets, bool privileged, ProcessRoot& root) {
  Found found;
  found.devices = devices;
  found.files = ReadFileLinks(directory);
  found.socket_of = [&sockets](uint64_t inode) {
    const auto socket = sockets.find(inode);
    return socket == sockets.end() ? std::string() : socket->second;
  };
  found.bridge_of = [&roots](const Device& tap) { return BridgeOf(roots.sys, roots.proc, tap); };
  found.space_of = [&root, privileged](const Device& image) -> std::optional<ImageSpace> {
    const absl::StatusOr<ImageSpace> space = root.SpaceOf(image, privileged);
    return space.ok() ? std::optional(*space) : std::nullopt;
  };
  found.file_of = [&root](const std::string& path) { return FileAt(path, false, root); };
  found.folder_of = [&root](const std::string& path) { return FileAt(path, true, root); };
  return found;
}

void AddRights(const ProcessRights& rights, given::Privileges* privileges) {
  privileges->uid = rights.uid;
  privileges->filtered = rights.filtered;
  privileges->no_new_privs = rights.no_new_privs;
  privileges->capabilities = rights.capabilities;
}

void AddFirecracker(const ProcessFacts& process, ProcessRoot& root, Given* given) {
  if (process.args.empty()) return;
  const std::string file = FirecrackerConfigFile(std::span(process.args).subspan(1));
  if (file.empty()) return;
  const absl::StatusOr<std::string> content = root.Read(file, kMaxConfig);
  if (content.ok()) {
    AddFirecrackerConfig(*content, given);
  } else {
    given->gaps.push_back(absl::StrCat("the configuration file ", ShownPath(file), ": ",
                                       ShownText(content.status().message())));
  }
}

}  // namespace

absl::StatusOr<Given> GivenReader::Read(const ProcessFacts& process, const DeviceList& devices) {
  KVMSENTRY_ASSIGN_OR_RETURN(const Fd own,
                             OpenDirectory(absl::StrCat(roots_.proc, "/", process.pid)));
  KVMSENTRY_ASSIGN_OR_RETURN(const Fd living, OpenLiving(roots_.proc, process.pid));
  ProcessRoot root(living.get(), HostMounts());
  const VmNaming naming = NameVm(process);
  Given given = GivenByCommandLine(process, naming.vmm);
  if (naming.vmm == "firecracker") AddFirecracker(process, root, &given);
  const ProcessRights rights =
      ParseRights(ReadFileAt(own.get(), "status", kMaxStatus).value_or(""));
  AddRights(rights, &given.privileges);
  given.privileges.label = ReadLabel(own.get());
  given.privileges.namespaces = ReadNamespaces(own.get());
  if (!process.exe.empty()) given.program = {ShownPath(ProgramPath(process)), FactOrigin::kProcess};
  given.manager = KubevirtManager(process.cgroup, naming.name);
  if (naming.vmm == "qemu") {
    AddLibvirt(process, naming.name, naming.uuid, rights.inner_pid, root, &given);
  }
  const bool privileged = rights.uid.value == 0U;
  const Found found =
      FindAt(living.get(), devices, roots_, sockets_.Of(living.get()), privileged, root);
  MergeFound(found, &given);
  MergeHelpers(helpers_.All(), process.pid, found, &given);
  given.children = helpers_.ChildrenOf(process.pid);
  FindFolders(found, &given);
  // After all was read: both directories name nobody once the process has gone, and the second may
  // have been opened when its number was another's.
  KVMSENTRY_ASSIGN_OR_RETURN(const std::string text, ReadFileAt(own.get(), "stat", kMaxStat));
  KVMSENTRY_ASSIGN_OR_RETURN(const ProcessStat stat, ParseStat(text));
  if (stat.start_ticks != process.start_ticks) {
    return absl::NotFoundError("the process has gone, and its number is another's");
  }
  return given;
}

const std::string& GivenReader::HostMounts() {
  if (!host_mounts_) {
    const absl::StatusOr<Fd> first = OpenDirectory(absl::StrCat(roots_.proc, "/1"));
    host_mounts_ = first.ok() ? ReadMounts(first->get()).value_or("") : "";
  }
  return *host_mounts_;
}

void GivenReader::AddLibvirt(const ProcessFacts& process, const std::string& name,
                             const std::string& uuid, int32_t inner_pid, ProcessRoot& root,
                             Given* given) const {
  if (!IsStartedByLibvirt(process)) return;
  const bool in_group = IsInLibvirtsGroup(process.cgroup);
  given->manager.kind.Offer({"libvirt", in_group ? FactOrigin::kCgroup : FactOrigin::kArgv});
  if (!IsFileName(name)) return;
  const std::string file = absl::StrCat("/libvirt/qemu/", name, ".xml");
  const std::string of_session = absl::StrCat("/libvirt/qemu/run/", name, ".xml");
  absl::Status why = absl::NotFoundError("there is none");
  const auto take = [&](const absl::StatusOr<std::string>& content, int32_t pid) {
    if (!content.ok()) {
      if (!absl::IsNotFound(content.status())) why = content.status();
      return false;
    }
    const absl::StatusOr<LibvirtDomain> domain = ParseLibvirtDomain(*content);
    if (!domain.ok()) {
      why = domain.status();
    } else if (domain->uuid != uuid || (domain->pid != 0 && domain->pid != pid)) {
      why = absl::FailedPreconditionError("it is another VM's");
    } else {
      MergeDeclared(domain->given, given);
      const bool names_it = domain->pid == pid;  // a domain that is defined alone names nobody
      if (names_it && given->manager.kind.origin == FactOrigin::kArgv) {
        given->manager.kind.origin = FactOrigin::kLibvirt;
      }
      return true;
    }
    return false;
  };
  // In a pod libvirt runs beside QEMU, and its files lie below their root.
  if (!PodOf(process.cgroup).empty()) {
    for (const std::string& path : {"/run" + file, "/run" + of_session}) {
      if (take(root.Read(path, kMaxDomain), inner_pid)) return;
    }
  } else {
    for (const char* folder : {"/run", "/etc"}) {
      const std::string path = absl::StrCat(roots_.host, folder, file);
      if (take(ReadFileAt(AT_FDCWD, path, kMaxDomain), process.pid)) return;
    }
  }
  given->gaps.push_back(absl::StrCat("libvirt's file of the domain: ", ShownText(why.message())));
}

}  // namespace kvmsentry
