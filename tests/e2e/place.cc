#include "tests/e2e/place.h"

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

#include <unistd.h>

#include "absl/strings/numbers.h"
#include "absl/strings/strip.h"

#include "tests/e2e/run.h"

namespace kvmsentry {
namespace {

namespace fs = std::filesystem;

constexpr char kPins[] = "/sys/fs/bpf";
constexpr char kPrefix[] = "kvmsentry-e2e-";

absl::Status UnpinAt(const std::string& pin_root) {
  KVMSENTRY_ASSIGN_OR_RETURN(const Finished unpin,
                             RunToEnd({KVMSENTRYD, "--unpin", "--pin-root", pin_root}));
  if (unpin.exit_code == 0) return absl::OkStatus();
  return absl::InternalError(absl::StrCat("kvmsentryd --unpin: ", unpin.errors));
}

}  // namespace

absl::StatusOr<Place> Place::Make() {
  static int number = 0;
  KVMSENTRY_ASSIGN_OR_RETURN(TempDir folder, TempDir::Make());
  Place place(std::move(folder), absl::StrCat(kPins, "/", kPrefix, getpid(), "-", ++number));
  std::error_code error;
  if (!fs::create_directory(place.specs(), error)) {
    return absl::ErrnoToStatus(error.value(), absl::StrCat("mkdir ", place.specs()));
  }
  return place;
}

absl::Status Place::AddSpecs(absl::string_view file) const {
  const std::string source = absl::StrCat(KVMSENTRY_E2E_SPECS, "/", file);
  std::error_code error;
  if (!fs::copy_file(source, absl::StrCat(specs(), "/", file), error)) {
    return absl::ErrnoToStatus(error.value(), absl::StrCat("copying ", source));
  }
  return absl::OkStatus();
}

absl::Status Place::WriteSpecs(absl::string_view file, absl::string_view text) const {
  std::ofstream stream(absl::StrCat(specs(), "/", file));
  stream << std::string(text);
  stream.close();
  return stream ? absl::OkStatus() : absl::ErrnoToStatus(errno, absl::StrCat("writing ", file));
}

absl::Status Place::Unpin() const { return UnpinAt(pin_root_); }

absl::Status RemoveLeftovers() {
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(kPins, error)) {
    const std::string name = entry.path().filename();
    absl::string_view text = name;
    pid_t owner = 0;
    if (!absl::ConsumePrefix(&text, kPrefix)) continue;
    if (!absl::SimpleAtoi(text.substr(0, text.find('-')), &owner)) continue;
    if (kill(owner, 0) == 0 || errno != ESRCH) continue;
    KVMSENTRY_RETURN_IF_ERROR(UnpinAt(entry.path()));
  }
  return absl::OkStatus();
}

}  // namespace kvmsentry
