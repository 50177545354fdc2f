#include "sensor/daemon/self_check.h"

#include "absl/strings/str_cat.h"

namespace kvmsentry {
namespace {

std::string DetailOf(const absl::Status& status) { return std::string(status.message()); }

}  // namespace

void SelfCheck::Look(const std::function<absl::Status(uint64_t)>& send_canary,
                     const absl::Status& tables, KernelTime now) {
  next_look_ = now + kLookNs;
  std::string lost = canary_.under_way() ? "a canary did not come back" : "";
  if (canary_.under_way()) canary_.Refused();
  if (const std::optional<uint64_t> number = canary_.Send()) {
    if (const absl::Status sent = send_canary(*number); !sent.ok()) {
      canary_.Refused();
      lost = DetailOf(sent);
    }
  }
  watch_.Judge(Fault::kRing, lost, now);
  watch_.Judge(Fault::kTables, tampered_.empty() ? DetailOf(tables) : tampered_, now);
}

void SelfCheck::Take(const PinsAndLinks& found, KernelTime now) {
  watch_.Judge(Fault::kPins, DetailOf(found.pins), now);
  watch_.Judge(Fault::kLinks, DetailOf(found.links), now);
  watch_.Judge(Fault::kLoader, DetailOf(found.loader), now);
  watch_.Judge(Fault::kSight, found.sight, now);
}

void SelfCheck::Tampered(absl::string_view detail, KernelTime now) {
  if (!tampered_.empty()) return;
  tampered_ = std::string(detail);
  watch_.Judge(Fault::kTables, tampered_, now);
}

void SelfCheck::LookAt(const std::optional<Worker::Running>& longest, KernelTime now) {
  const int64_t ns = longest ? now - longest->since : 0;
  watch_.Judge(Fault::kWorker,
               ns < kWorkerHangsNs
                   ? ""
                   : absl::StrCat(longest->what, " has not ended for ", ns / kNsPerSecond, " s"),
               now);
}

}  // namespace kvmsentry
