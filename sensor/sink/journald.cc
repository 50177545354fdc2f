#include "sensor/sink/journald.h"

#include <cerrno>

#include <sys/uio.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#include "absl/strings/ascii.h"
#include "absl/strings/str_join.h"

#include "kvmsentry/v1/alert.pb.h"
#include "sensor/base/escape.h"

namespace kvmsentry {
namespace {

constexpr char kSocket[] = "/run/systemd/journal/socket";

// syslog's: 2 critical, 4 warning, 5 notice, 6 info. That something is over is never worse than
// info.
int PriorityOf(const AlertEvent& event) {
  if (event.state == AlertState::kCleared) return 6;
  switch (event.severity) {
    case Severity::kCritical:
      return 2;
    case Severity::kWarning:
      return 4;
    case Severity::kNotice:
      return 5;
    default:
      return 6;
  }
}

// Of an entry only A-Z, 0-9 and '_' make a name, 64 characters at most.
std::string FieldName(absl::string_view name) {
  constexpr size_t kMaxName = 64;
  std::string field = absl::StrCat("KVMSENTRY_EVIDENCE_", absl::AsciiStrToUpper(name));
  for (char& c : field) c = absl::ascii_isalnum(static_cast<unsigned char>(c)) ? c : '_';
  field.resize(std::min(field.size(), kMaxName));
  return field;
}

std::string StateName(AlertState state) {
  return v1::Alert::State_Name(static_cast<v1::Alert::State>(state));
}

}  // namespace

std::vector<std::string> JournaldFields(const StreamItem& item) {
  std::vector<std::string> fields;
  const auto add = [&fields](absl::string_view name, absl::string_view value) {
    if (!value.empty()) fields.push_back(absl::StrCat(name, "=", EscapeAgain(value)));
  };
  add("SYSLOG_IDENTIFIER", "kvmsentryd");
  add("KVMSENTRY_POSITION", ToString(PositionAfter(item)));
  if (const Gap* const gap = std::get_if<Gap>(&item)) {
    add("PRIORITY", "4");
    add("MESSAGE",
        absl::StrCat("alerts are missing: ", ToString(gap->from), " to ", ToString(gap->to)));
    return fields;
  }
  const JournaledAlert& alert = *std::get<AlertPtr>(item);
  const AlertEvent& event = alert.event;
  add("MESSAGE_ID", kAlertMessageId);
  add("PRIORITY", absl::StrCat(PriorityOf(event)));
  add("MESSAGE", event.summary);
  add("KVMSENTRY_KEY", event.key);
  add("KVMSENTRY_STATE", StateName(event.state));
  add("KVMSENTRY_SEVERITY", SeverityName(event.severity));
  if (event.point != Point::kNone) add("KVMSENTRY_POINT", PointName(event.point));
  add("KVMSENTRY_SPEC", event.spec_id);
  add("KVMSENTRY_FEATURE", event.feature);
  add("KVMSENTRY_VM", event.vm.name);
  add("KVMSENTRY_VM_UUID", event.vm.uuid);
  if (event.vm.pid > 0) add("KVMSENTRY_VM_PID", absl::StrCat(event.vm.pid));
  add("KVMSENTRY_PART", event.part);
  add("KVMSENTRY_VALUE", event.value_text);
  add("KVMSENTRY_NORM", event.norm_text);
  add("KVMSENTRY_SCORE", absl::StrCat(static_cast<double>(event.score_millipoints) / 1000));
  add("KVMSENTRY_AT", absl::FormatTime(absl::RFC3339_full, alert.at, absl::UTCTimeZone()));
  add("KVMSENTRY_OPENED_AT",
      absl::FormatTime(absl::RFC3339_full, alert.opened_at, absl::UTCTimeZone()));
  if (event.observe_only) add("KVMSENTRY_OBSERVE_ONLY", "1");
  add("KVMSENTRY_TAGS", absl::StrJoin(event.tags, " "));
  add("KVMSENTRY_MITRE", absl::StrJoin(event.mitre, " "));
  add("KVMSENTRY_WHY", event.why);
  add("KVMSENTRY_LOOK_AT", event.look_at);
  for (const auto& [name, value] : event.evidence) add(FieldName(name), value);
  return fields;
}

absl::Status JournaldSink::Write(const StreamItem& item) {
  // libsystemd drops entries without an error where nobody listens.
  if (access(kSocket, W_OK) != 0) return absl::ErrnoToStatus(errno, kSocket);
  std::vector<std::string> fields = JournaldFields(item);
  std::vector<iovec> vectors;
  for (std::string& field : fields) vectors.push_back({field.data(), field.size()});
  const int result = sd_journal_sendv(vectors.data(), static_cast<int>(vectors.size()));
  return result == 0 ? absl::OkStatus() : absl::ErrnoToStatus(-result, kSocket);
}

}  // namespace kvmsentry
