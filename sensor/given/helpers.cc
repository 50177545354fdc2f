#include "sensor/given/helpers.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include <fcntl.h>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

#include "sensor/given/key_values.h"
#include "sensor/given/process_files.h"
#include "sensor/given/shown_text.h"
#include "sensor/given/unix_sockets.h"
#include "sensor/inventory/files.h"
#include "sensor/inventory/process.h"

namespace kvmsentry {
namespace {

constexpr size_t kMaxComm = 64;
constexpr size_t kMaxStat = 4096;
constexpr size_t kMaxArgs = 64 << 10;
constexpr size_t kMaxList = 4096;

// The path in "unix:/run/x.sock", or in one without that word; "" of what is none.
std::string SocketPath(const TextFact& place) {
  if (!place.known()) return "";
  absl::string_view path = *place.value;
  absl::ConsumePrefix(&path, "unix:");
  return absl::StartsWith(path, "/") ? std::string(path) : "";
}

// How HELPER is known to be the VM's, whose socket PATH is; "" where it is not.
std::string ReasonBySocket(const HelperProcess& helper, const std::string& path,
                           const Found& found) {
  if (path.empty()) return "";
  const auto names = [&](const std::string& arg) {
    return arg == path || absl::EndsWith(arg, absl::StrCat("=", path)) ||
           absl::StrContains(arg, absl::StrCat("=", path, ","));
  };
  const bool told = std::ranges::any_of(helper.args, names);
  const bool open = std::ranges::any_of(
      helper.sockets, [&](uint64_t inode) { return ShownPath(found.socket_of(inode)) == path; });
  return told || open ? absl::StrCat("its socket ", path) : "";
}

void AddHelper(const HelperProcess& helper, const std::string& reason, Given* given) {
  for (const given::Helper& known : given->helpers) {
    if (known.pid.value == static_cast<uint64_t>(helper.pid)) return;
  }
  given::Helper* added = AddPart(&given->helpers, "helpers", given);
  if (added == nullptr) return;
  added->id = helper.kind;
  added->pid = {static_cast<uint64_t>(helper.pid), FactOrigin::kProcess};
  added->reason = {reason, FactOrigin::kProcess};
  added->start_ticks = helper.start_ticks;
}

void FillFolder(const HelperProcess& helper, given::SharedFolder* folder) {
  const std::string path = VirtiofsdFolder(helper.args);
  if (!path.empty()) folder->path.Offer({ShownPath(path), FactOrigin::kHelper});
  const bool read_only = std::ranges::find(helper.args, "--readonly") != helper.args.end();
  folder->read_only.Offer({read_only, FactOrigin::kHelper});
}

}  // namespace

std::string HelperKind(absl::string_view comm) {
  for (const char* kind : {"virtiofsd", "swtpm", "passt", "pasta", "slirp4netns", "qemu-pr-helper",
                           "qemu-storage-da", "qemu-bridge-hel"}) {
    if (comm == kind) return kind;
  }
  if (absl::StartsWith(comm, "passt.")) return "passt";
  if (absl::StartsWith(comm, "vhost-device-")) return std::string(comm);
  return "";
}

std::span<const HelperProcess> HelperFinder::All() {
  if (found_) return *found_;
  found_.emplace();
  std::error_code error;
  for (std::filesystem::directory_iterator it(root_, error), end; !error && it != end;
       it.increment(error)) {
    int32_t pid = 0;
    if (!absl::SimpleAtoi(it->path().filename().string(), &pid)) continue;
    if (std::optional<HelperProcess> helper = Look(pid)) found_->push_back(*std::move(helper));
    if (found_->size() == kMaxHelpers) break;
  }
  return *found_;
}

std::optional<HelperProcess> HelperFinder::Look(int32_t pid) const {
  const auto process = OpenDirectory(absl::StrCat(root_, "/", pid));
  if (!process.ok()) return std::nullopt;
  const auto comm = ReadFileAt(process->get(), "comm", kMaxComm);
  if (!comm.ok()) return std::nullopt;
  HelperProcess helper;
  helper.kind = HelperKind(absl::StripSuffix(*comm, "\n"));
  if (helper.kind.empty()) return std::nullopt;
  helper.kind = ShownText(helper.kind);
  helper.pid = pid;
  const auto stat = ParseStat(ReadFileAt(process->get(), "stat", kMaxStat).value_or(""));
  if (stat.ok()) {
    helper.parent = stat->parent;
    helper.start_ticks = stat->start_ticks;
  }
  const std::string args = ReadFileAt(process->get(), "cmdline", kMaxArgs).value_or("");
  helper.args = absl::StrSplit(absl::StripSuffix(args, absl::string_view("\0", 1)), '\0');
  for (const FileLink& link : ReadFileLinks(process->get())) {
    if (const auto inode = SocketIn(link.target)) helper.sockets.insert(*inode);
  }
  return helper;
}

std::vector<given::Helper> HelperFinder::ChildrenOf(int32_t pid) const {
  std::vector<given::Helper> children;
  const std::string path = absl::StrCat(root_, "/", pid, "/task/", pid, "/children");
  const std::string list = ReadFileAt(AT_FDCWD, path, kMaxList).value_or("");
  for (const absl::string_view word : absl::StrSplit(list, ' ', absl::SkipEmpty())) {
    uint32_t number = 0;
    if (children.size() == kMaxGivenParts || !absl::SimpleAtoi(word, &number)) break;
    const std::string file = absl::StrCat(root_, "/", number, "/stat");
    const auto stat = ParseStat(ReadFileAt(AT_FDCWD, file, kMaxStat).value_or(""));
    if (!stat.ok()) continue;  // it has gone
    given::Helper& child = children.emplace_back();
    child.id = ShownText(stat->comm);
    child.pid = {uint64_t{number}, FactOrigin::kProcess};
    child.start_ticks = stat->start_ticks;
  }
  return children;
}

std::string VirtiofsdFolder(std::span<const std::string> args) {
  std::string folder;
  for (size_t i = 0; i < args.size(); ++i) {
    absl::string_view arg = args[i];
    const bool more = i + 1 < args.size();
    if (absl::ConsumePrefix(&arg, "--shared-dir=")) {
      folder = std::string(arg);
    } else if (arg == "--shared-dir" && more) {
      folder = args[++i];
    } else if (arg == "-o" && more) {
      const std::string source = KeyValues::OfList(args[++i]).Get("source");
      if (!source.empty()) folder = source;
    }
  }
  return folder;
}

void MergeHelpers(std::span<const HelperProcess> all, int32_t pid, const Found& found,
                  Given* given) {
  std::vector<std::string> sockets;
  for (const given::Interface& part : given->interfaces) sockets.push_back(SocketPath(part.socket));
  for (const given::HostDevice& part : given->devices) sockets.push_back(SocketPath(part.place));
  for (const HelperProcess& helper : all) {
    if (helper.pid == pid) continue;
    for (given::SharedFolder& folder : given->folders) {
      const std::string reason = ReasonBySocket(helper, SocketPath(folder.socket), found);
      if (reason.empty()) continue;
      AddHelper(helper, reason, given);
      FillFolder(helper, &folder);
    }
    for (const std::string& path : sockets) {
      const std::string reason = ReasonBySocket(helper, path, found);
      if (!reason.empty()) AddHelper(helper, reason, given);
    }
    if (helper.parent == pid) AddHelper(helper, "started by the VMM", given);
  }
}

}  // namespace kvmsentry
