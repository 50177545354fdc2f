#include "sensor/cli/cannot_reach.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include <grp.h>
#include <sys/stat.h>

#include "absl/strings/str_cat.h"

namespace kvmsentry {
namespace {

std::string GroupName(gid_t gid) {
  std::array<char, 4096> buffer{};
  group entry{};
  group* found = nullptr;
  const int error = getgrgid_r(gid, &entry, buffer.data(), buffer.size(), &found);
  return error == 0 && found != nullptr ? entry.gr_name : absl::StrCat(gid);
}

// Where the folder cannot be entered, nothing in it can be looked at: then the folder says it.
std::string Remedy(const std::string& path) {
  struct stat facts {};
  const std::string folder = std::filesystem::path(path).parent_path();
  if (stat(path.c_str(), &facts) != 0 && stat(folder.c_str(), &facts) != 0) {
    return "ask who runs kvmsentryd for access to its socket";
  }
  if (facts.st_gid == 0) return "only root may, for the socket's group is root's";
  const std::string group = GroupName(facts.st_gid);
  return absl::StrCat("only root and the group ", group, " may; \"adduser $USER ", group,
                      "\" adds you, from your next login on");
}

}  // namespace

absl::Status CannotReach(const std::string& path, int error) {
  const std::string what =
      absl::StrCat("cannot reach kvmsentryd at ", path, ": ", std::strerror(error), "; ");
  switch (error) {
    case EACCES:
    case EPERM:
      return absl::PermissionDeniedError(absl::StrCat(what, Remedy(path)));
    case ENOENT:
      return absl::UnavailableError(
          absl::StrCat(what,
                       "is it running? \"systemctl status kvmsentry\" says; --socket names "
                       "another place"));
    case ECONNREFUSED:
      return absl::UnavailableError(absl::StrCat(
          what,
          "nobody serves that socket any more; \"journalctl -u kvmsentry\" says why it ended"));
    case EAGAIN:
      return absl::UnavailableError(
          absl::StrCat(what, "it accepts no connection; \"journalctl -u kvmsentry\" says why"));
    default:
      return absl::UnavailableError(absl::StrCat(what, "is that its socket?"));
  }
}

}  // namespace kvmsentry
