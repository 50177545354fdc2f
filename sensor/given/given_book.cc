#include "sensor/given/given_book.h"

#include <utility>

#include "sensor/given/facts.h"

namespace kvmsentry {

void GivenBook::Begin(KernelTime now) {
  now_ = now;
  before_ = std::exchange(known_, {});
  reader_.Begin();
}

void GivenBook::Look(const ProcessFacts& process, const DeviceList& devices) {
  const auto [entry, fresh] = known_.try_emplace(process.pid);
  if (!fresh) return;
  Known& known = entry->second;
  const auto before = before_.find(process.pid);
  const bool same =
      before != before_.end() && before->second.process.start_ticks == process.start_ticks;
  if (same) {
    known = std::move(before->second);
  } else {
    known.process = process;
  }
  const bool overwritten = known.process.args != process.args;
  const bool due = known.record == nullptr || known.devices != devices ||
                   overwritten != known.overwritten || now_ - known.looked_at >= kReadAgainNs;
  known.overwritten = overwritten;
  if (due) ReadAgain(&known, devices);
}

void GivenBook::ReadAgain(Known* known, const DeviceList& devices) {
  absl::StatusOr<Given> given = reader_.Read(known->process, devices);
  if (!given.ok()) return;  // the process has gone: the next round does not look it up
  known->devices = devices;
  known->looked_at = now_;
  if (known->overwritten) {
    given->gaps.emplace_back("the command line was overwritten after it was first read");
  }
  if (known->record != nullptr && known->record->given == *given) return;
  auto record = std::make_shared<GivenRecord>();
  record->start_ticks = known->process.start_ticks;
  record->read_at = now_;
  if (known->record != nullptr) {
    record->changed_at = known->record->changed_at;
    record->changes = known->record->changes;
    std::vector<std::string> changes = ChangesBetween(known->record->given, *given, kMaxChanges);
    if (!changes.empty()) {
      record->changed_at = now_;
      record->changes = std::move(changes);
    }
  }
  record->given = *std::move(given);
  known->record = std::move(record);
}

GivenRecords GivenBook::End() {
  before_.clear();
  GivenRecords records;
  for (const auto& [pid, known] : known_) {
    if (known.record != nullptr) records.emplace(pid, known.record);
  }
  return records;
}

}  // namespace kvmsentry
