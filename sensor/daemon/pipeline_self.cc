// How the pipeline watches itself.
#include <string>

#include "spdlog/spdlog.h"

#include "sensor/daemon/pipeline.h"

namespace kvmsentry {
namespace {

constexpr int64_t kLookNs = 2 * kNsPerSecond;

std::string DetailOf(const absl::Status& status) { return std::string(status.message()); }

}  // namespace

// A canary of the last look has had all ticks since to come back.
void Pipeline::LookAtSelf(KernelTime now) {
  if (now.ns < next_look_ns_) return;
  next_look_ns_ = now.ns + kLookNs;
  std::string lost = canary_.under_way() ? "a canary did not come back" : "";
  if (canary_.under_way()) canary_.Refused();
  if (const std::optional<uint64_t> number = canary_.Send()) {
    const absl::Status sent = sources_->probe().SendCanary(*number);
    if (!sent.ok()) {
      canary_.Refused();
      lost = DetailOf(sent);
    }
  }
  self_.Judge(Fault::kRing, lost, now);
  const absl::Status audit = sources_->Audit();
  self_.Judge(Fault::kTables, tampered_.empty() ? DetailOf(audit) : tampered_, now);
  self_.Judge(Fault::kPins, DetailOf(sources_->probe().AuditPins()), now);
  self_.Judge(Fault::kLinks, DetailOf(sources_->probe().AuditLinks()), now);
  self_.Judge(Fault::kSight, sources_->probe().sight().detail, now);
}

// The tables stay wrong: the alert stays open until a restart.
void Pipeline::Tampered(absl::string_view detail, KernelTime now) {
  if (!tampered_.empty()) return;
  tampered_ = std::string(detail);
  self_.Judge(Fault::kTables, tampered_, now);
}

}  // namespace kvmsentry
