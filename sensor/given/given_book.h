// What each VMM's VM was given, kept from one round of walks to the next: read again only where
// open files changed, and now and then. The command line counts as it was when it was first read: a
// VMM that is taken over could else overwrite it to be entitled to more.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sensor/base/time.h"
#include "sensor/given/given_reader.h"

namespace kvmsentry {

// Never changed once it is shared.
struct GivenRecord {
  Given given;
  uint64_t start_ticks = 0;  // of the process
  KernelTime read_at;        // first with this content
  // When it changed last, and what did, in words; nullopt: it has not since it was first read.
  std::optional<KernelTime> changed_at;
  std::vector<std::string> changes;
};

// By process.
using GivenRecords = std::map<int32_t, std::shared_ptr<const GivenRecord>>;

// For a worker. Not thread safe.
class GivenBook {
 public:
  explicit GivenBook(GivenRoots roots = {}) : reader_(std::move(roots)) {}

  // A round: all that are not looked up until End() are forgotten.
  void Begin(KernelTime now);
  void Look(const ProcessFacts& process, const DeviceList& devices);
  GivenRecords End();

  static constexpr int64_t kReadAgainNs = 30 * kNsPerSecond;
  static constexpr size_t kMaxChanges = 8;

 private:
  struct Known {
    ProcessFacts process;  // as first read
    DeviceList devices;
    KernelTime looked_at;
    bool overwritten = false;  // the command line, since
    std::shared_ptr<const GivenRecord> record;
  };
  void ReadAgain(Known* known, const DeviceList& devices);

  GivenReader reader_;
  KernelTime now_;
  std::map<int32_t, Known> known_, before_;
};

}  // namespace kvmsentry
