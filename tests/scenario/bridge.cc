#include "tests/scenario/bridge.h"

#include <utility>

#include <unistd.h>

#include "absl/strings/str_split.h"

#include "tests/e2e/run.h"

namespace kvmsentry::scenario {
namespace {

absl::Status Ip(const std::string& arguments) {
  return RunWell(absl::StrSplit(absl::StrCat("ip ", arguments), ' '));
}

}  // namespace

absl::StatusOr<Bridge> Bridge::Make() {
  Bridge bridge;
  const std::string name = absl::StrCat("ks-", getpid());  // at most 15 characters
  KVMSENTRY_RETURN_IF_ERROR(Ip(absl::StrCat("link add ", name, " type bridge")));
  bridge.name_ = name;
  KVMSENTRY_RETURN_IF_ERROR(Ip(absl::StrCat("address add ", kHostAddress, "/24 dev ", name)));
  KVMSENTRY_RETURN_IF_ERROR(Ip(absl::StrCat("link set ", name, " up")));
  return bridge;
}

Bridge::Bridge(Bridge&& other) noexcept
    : name_(std::exchange(other.name_, {})), taps_(std::exchange(other.taps_, 0)) {}

Bridge& Bridge::operator=(Bridge&& other) noexcept {
  std::swap(name_, other.name_);
  std::swap(taps_, other.taps_);
  return *this;
}

Bridge::~Bridge() {
  for (int tap = 1; tap <= taps_; ++tap) {
    Ip(absl::StrCat("link delete ", name_, "-", tap)).IgnoreError();
  }
  if (!name_.empty()) Ip(absl::StrCat("link delete ", name_)).IgnoreError();
}

absl::StatusOr<std::string> Bridge::AddTap() {
  const std::string tap = absl::StrCat(name_, "-", taps_ + 1);
  KVMSENTRY_RETURN_IF_ERROR(Ip(absl::StrCat("tuntap add dev ", tap, " mode tap")));
  ++taps_;
  KVMSENTRY_RETURN_IF_ERROR(Ip(absl::StrCat("link set ", tap, " master ", name_, " up")));
  return tap;
}

}  // namespace kvmsentry::scenario
