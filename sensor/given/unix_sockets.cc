#include "sensor/given/unix_sockets.h"

#include <algorithm>

#include <fcntl.h>
#include <sys/stat.h>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

#include "sensor/inventory/files.h"

namespace kvmsentry {
namespace {

constexpr size_t kMaxSockets = 4 << 20;

}  // namespace

const UnixSockets& SocketLists::Of(int process) {
  struct stat net_ns {};
  const bool known = fstatat(process, "ns/net", &net_ns, 0) == 0;
  const auto [entry, fresh] = by_namespace_.try_emplace(known ? net_ns.st_ino : 0);
  if (fresh || !known) {
    entry->second = ParseUnixSockets(ReadFileAt(process, "net/unix", kMaxSockets).value_or(""));
  }
  return entry->second;
}

UnixSockets ParseUnixSockets(absl::string_view content) {
  UnixSockets sockets;
  constexpr size_t kBeforePath = 7;  // Num RefCount Protocol Flags Type St Inode
  for (absl::string_view line : absl::StrSplit(content, '\n')) {
    uint64_t inode = 0;
    bool known = false;
    for (size_t field = 0; field < kBeforePath; ++field) {
      while (absl::ConsumePrefix(&line, " ")) {
      }
      const size_t end = std::min(line.find(' '), line.size());
      if (field + 1 == kBeforePath) known = absl::SimpleAtoi(line.substr(0, end), &inode);
      line.remove_prefix(end);
    }
    if (known && absl::ConsumePrefix(&line, " ") && !line.empty()) sockets.emplace(inode, line);
  }
  return sockets;
}

std::optional<uint64_t> SocketIn(absl::string_view target) {
  uint64_t inode = 0;
  const bool socket = absl::ConsumePrefix(&target, "socket:[") &&
                      absl::ConsumeSuffix(&target, "]") && absl::SimpleAtoi(target, &inode);
  return socket ? std::optional(inode) : std::nullopt;
}

}  // namespace kvmsentry
