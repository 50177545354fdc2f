#include "sensor/rpc/access/connection_table.h"

#include <algorithm>

#include <sys/stat.h>

#include "absl/strings/str_cat.h"

namespace kvmsentry {
namespace {

constexpr uint32_t kShareOfUser = 4;
constexpr uint32_t kShareOfAddress = 8;
constexpr uint32_t kShareOfTcp = 2;
constexpr uint32_t kShareKeptForAdmins = 16;

}  // namespace

std::optional<Excess> ConnectionTable::Check(const Connector& connector) {
  if (!Find(connector)) return std::nullopt;
  Sweep();
  return Find(connector);
}

std::optional<Excess> ConnectionTable::Find(const Connector& connector) const {
  const auto count = [this](auto&& condition) {
    return static_cast<uint32_t>(std::ranges::count_if(
        entries_, [&](const Entry& entry) { return condition(entry.connector); }));
  };
  constexpr char kRemedy[] = "; end some, or raise --max-connections";
  const bool exempt = connector.wire == Wire::kUnix && connector.admin;
  const uint32_t for_all = exempt ? max_ : max_ - max_ / kShareKeptForAdmins;
  if (size() >= for_all) {
    return Excess{Refusal::kConnections,
                  absl::StrCat(size(), " connections are open, of ", max_, " at most", kRemedy)};
  }
  if (exempt) return std::nullopt;
  const bool tcp = connector.wire == Wire::kTcp;
  const uint32_t over_tcp = count([](const Connector& other) { return other.wire == Wire::kTcp; });
  if (tcp && over_tcp >= std::max(1U, max_ / kShareOfTcp)) {
    return Excess{
        Refusal::kConnections,
        absl::StrCat(over_tcp, " connections over TCP are open, the most that it may have",
                     kRemedy)};
  }
  const uint32_t of_it =
      count([&](const Connector& other) { return other.name == connector.name; });
  if (of_it >= std::max(1U, max_ / (tcp ? kShareOfAddress : kShareOfUser))) {
    return Excess{Refusal::kCallerConnections,
                  absl::StrCat(connector.name, " has ", of_it, " connections, the most of one",
                               tcp ? " address" : " user", kRemedy)};
  }
  return std::nullopt;
}

void ConnectionTable::Add(int socket, const Connector& connector, int door) {
  struct stat info {};
  if (fstat(socket, &info) != 0) return;
  entries_.push_back({socket, info.st_dev, info.st_ino, connector, door});
}

void ConnectionTable::Sweep() {
  std::erase_if(entries_, [](const Entry& entry) {
    struct stat info {};
    return fstat(entry.socket, &info) != 0 || info.st_dev != entry.device ||
           info.st_ino != entry.inode;
  });
}

bool ConnectionTable::DoorInUse(int door) const {
  return std::ranges::find(entries_, door, &Entry::door) != entries_.end();
}

}  // namespace kvmsentry
