// A journal on disk that goes on in memory while the disk does not.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "sensor/alert/alert_ring.h"
#include "sensor/alert/journal.h"
#include "sensor/alert/journal_file.h"
#include "sensor/alert/open_alerts.h"
#include "sensor/base/clock.h"
#include "sensor/base/fd.h"
#include "sensor/base/status.h"

namespace kvmsentry {

// An alert is queued, written by a thread together with all that wait (one fsync for all), and only
// then visible: what a subscriber got is still there after a crash, at the same position.
//
// Where the file cannot be written, alerts are visible at once, from memory, and a new epoch begins
// with the first of them: should the process die now, the next one does not know that their
// positions were given, and must not give them again. Once the file can be written, all that is in
// memory still is written after what the file has, and the stream stays in the new epoch.
class DiskJournal final : public Journal {
 public:
  struct Options {
    std::string dir;         // made where it is missing; used by one journal at a time
    size_t capacity = 4096;  // alerts in memory
    size_t max_queued = 1 << 16;
    JournalLimits limits = {};
    absl::Duration retry = absl::Seconds(1);  // how often a file that failed is tried
    absl::Duration hangs = absl::Seconds(5);  // a write that takes longer has failed
  };

  // Opens or makes the file. One that is damaged is moved aside. Where there can be none, the
  // journal begins in memory. FAILED_PRECONDITION where another process has the folder. CLOCK
  // outlives it.
  static absl::StatusOr<std::unique_ptr<DiskJournal>> Start(Options options, const Clock& clock);
  ~DiskJournal() override;  // writes what is queued, if it can

  absl::Status Append(JournaledAlert alert) override;
  absl::StatusOr<Page> Read(Position after, size_t max) const override;
  absl::StatusOr<std::vector<AlertPtr>> ReadBefore(Position before, size_t max) const override;
  std::vector<AlertPtr> Open() const override;
  JournalBounds bounds() const override;
  uint64_t appended() const override;
  uint64_t visible() const override;
  size_t capacity() const override { return options_.capacity; }
  JournalState state() const override;
  void OnVisible(std::function<void(Position last)> listener) override;
  void Tend(KernelTime now) override;
  void Flush(std::chrono::nanoseconds limit) override;

 private:
  using Lock = std::unique_lock<std::mutex>;

  DiskJournal(Options options, const Clock& clock, Fd folder_lock, std::string recreated,
              const absl::StatusOr<std::unique_ptr<JournalFile>>& opened,
              const JournalFile::Contents& contents);

  std::string path() const { return options_.dir + "/journal.db"; }
  void Run(const std::stop_token& stop);
  void WriteQueued(Lock& lock);
  void Recover(Lock& lock);
  absl::Status WriteMemory(JournalFile& file, Lock& lock);
  bool Follows(const std::vector<AlertPtr>& batch) const;
  void Fail(const absl::Status& why);
  void Show(AlertPtr alert);
  void ShowFromMemory();
  JournalBounds BoundsLocked() const;
  absl::StatusOr<std::vector<AlertPtr>> ReadFile(
      const std::function<absl::StatusOr<std::vector<AlertPtr>>(JournalFile&)>& read) const;

  const Options options_;
  const Clock& clock_;
  const Fd folder_lock_;
  std::function<void(Position)> listener_ = [](Position /*last*/) {};

  std::unique_ptr<JournalFile> file_;  // of the thread alone

  mutable std::mutex reader_mutex_;              // held while the disk is read
  mutable std::unique_ptr<JournalFile> reader_;  // guarded by reader_mutex_

  mutable std::mutex mutex_;  // of all below; never held while the disk is waited for
  mutable std::condition_variable_any changed_;
  AlertRing ring_;
  OpenAlerts open_;
  AlertLives lives_;
  std::deque<std::shared_ptr<JournaledAlert>> queue_;  // not visible yet
  bool durable_ = false;                               // alerts are written before they are visible
  absl::Status problem_;                               // why not
  std::string recreated_;
  KernelTime failed_at_;
  bool new_epoch_ = false;  // begins with the next alert that is visible from memory
  std::optional<KernelTime> writing_since_;
  KernelTime written_at_;
  Position on_disk_;                              // the last position there; epoch 0: none
  mutable std::vector<EpochBounds> disk_epochs_;  // that can be read from disk
  uint64_t bytes_ = 0;
  uint64_t appended_ = 0, visible_ = 0, unwritten_ = 0;

  std::jthread thread_;  // the last: it uses all of the above
};

}  // namespace kvmsentry
