#include "sensor/alert/disk_journal.h"

#include <algorithm>
#include <utility>

#include "sensor/alert/journal_folder.h"

namespace kvmsentry {
namespace {

constexpr size_t kMostOfAWrite = 4096;
constexpr int64_t kEvictNs = 60 * kNsPerSecond;  // by age, while nothing is written

uint64_t EpochAfter(uint64_t last, const Clock& clock) {
  const auto now = static_cast<uint64_t>(std::max<int64_t>(absl::ToUnixMillis(clock.WallNow()), 1));
  return std::max(now, last + 1);  // also where the clock was set back
}

}  // namespace

absl::StatusOr<std::unique_ptr<DiskJournal>> DiskJournal::Start(Options options,
                                                                const Clock& clock) {
  KVMSENTRY_ASSIGN_OR_RETURN(Fd lock, LockJournalFolder(options.dir));
  OpenedJournal opened = OpenOrRecreate(options.dir + "/journal.db");
  if (opened.contents.last.epoch == 0) opened.contents.last = {EpochAfter(0, clock), 0};
  auto journal = std::unique_ptr<DiskJournal>(
      new DiskJournal(std::move(options), clock, std::move(lock), std::move(opened.recreated),
                      opened.file, opened.contents));
  if (opened.file.ok()) journal->file_ = *std::move(opened.file);
  journal->thread_ =
      std::jthread([raw = journal.get()](const std::stop_token& stop) { raw->Run(stop); });
  return journal;
}

DiskJournal::DiskJournal(Options options, const Clock& clock, Fd folder_lock, std::string recreated,
                         const absl::StatusOr<std::unique_ptr<JournalFile>>& opened,
                         const JournalFile::Contents& contents)
    : options_(std::move(options)),
      clock_(clock),
      folder_lock_(std::move(folder_lock)),
      ring_(contents.last, options_.capacity),
      durable_(opened.ok()),
      problem_(opened.status()),
      recreated_(std::move(recreated)),
      failed_at_(clock.Now()),
      written_at_(clock.Now()),
      disk_epochs_(contents.epochs) {
  if (durable_) {
    on_disk_ = contents.last;
    bytes_ = (*opened)->bytes();
  }
  for (const AlertPtr& open : contents.open) {
    open_.Take(open);
    reached_.Restore(*open);
  }
}

DiskJournal::~DiskJournal() = default;

absl::Status DiskJournal::Append(JournaledAlert alert) {
  auto shared = std::make_shared<JournaledAlert>(std::move(alert));
  Position shown;
  {
    const std::lock_guard lock(mutex_);
    if (queue_.size() >= options_.max_queued) {
      return absl::ResourceExhaustedError(
          absl::StrCat(path(), ": ", queue_.size(), " alerts wait to be written"));
    }
    shared->reached = reached_.Take(shared->event);
    queue_.push_back(std::move(shared));
    ++appended_;
    if (!durable_) {
      ShowFromMemory();
      shown = ring_.last();
    }
  }
  if (shown.epoch != 0) {
    listener_(shown);
  } else {
    changed_.notify_all();
  }
  return absl::OkStatus();
}

void DiskJournal::Show(AlertPtr alert) {
  open_.Take(alert);
  const AlertPtr dropped = ring_.Put(std::move(alert));
  if (dropped != nullptr && dropped->position > on_disk_) ++unwritten_;
  ++visible_;
}

// Copies: the thread may be writing these very alerts, and have given them other positions.
void DiskJournal::ShowFromMemory() {
  for (const auto& queued : queue_) {
    auto alert = std::make_shared<JournaledAlert>(*queued);
    alert->position = ring_.last();
    ++alert->position.sequence;
    if (std::exchange(new_epoch_, false)) {
      alert->position = {EpochAfter(ring_.last().epoch, clock_), 1};
    }
    Show(std::move(alert));
  }
  queue_.clear();
}

void DiskJournal::Fail(const absl::Status& why) {
  durable_ = false;
  problem_ = why;
  failed_at_ = clock_.Now();
  new_epoch_ = true;
  ShowFromMemory();
}

void DiskJournal::Run(const std::stop_token& stop) {
  Lock lock(mutex_);
  while (!stop.stop_requested() || (durable_ && !queue_.empty())) {
    changed_.wait_for(lock, stop, absl::ToChronoNanoseconds(options_.retry),
                      [this] { return durable_ && !queue_.empty(); });
    const KernelTime now = clock_.Now();
    if (!durable_) {
      const bool due = now - failed_at_ >= absl::ToInt64Nanoseconds(options_.retry);
      if (due && !stop.stop_requested()) Recover(lock);
    } else if (!queue_.empty() || ring_.last() > on_disk_ || now - written_at_ >= kEvictNs) {
      WriteQueued(lock);
    }
  }
  if (!durable_ && ring_.last() > on_disk_) Recover(lock);  // the last chance
}

// With it goes what became visible while the file was being recovered.
void DiskJournal::WriteQueued(Lock& lock) {
  std::vector<AlertPtr> batch = ring_.AllAfter(on_disk_);
  const size_t seen_already = batch.size();
  Position position = ring_.last();
  for (size_t i = 0; i < std::min(queue_.size(), kMostOfAWrite); ++i) {
    ++position.sequence;
    queue_[i]->position = position;
    batch.push_back(queue_[i]);
  }
  if (seen_already > 0 && !Follows(batch)) {
    file_.reset();
    return Fail(absl::UnavailableError(absl::StrCat(path(), ": alerts came too fast")));
  }
  writing_since_ = clock_.Now();
  const absl::Time wall = clock_.WallNow();
  lock.unlock();
  const absl::Status status = file_->Write({.alerts = batch}, options_.limits, wall);
  lock.lock();
  writing_since_.reset();
  written_at_ = clock_.Now();
  if (!durable_) {
    file_.reset();  // it took so long that it was given up
    return;
  }
  if (!status.ok()) {
    file_.reset();
    Fail(status);
  } else {
    for (size_t i = seen_already; i < batch.size(); ++i) {
      on_disk_ = batch[i]->position;
      Show(batch[i]);
      queue_.pop_front();
    }
    if (!batch.empty()) on_disk_ = batch.back()->position;
    disk_epochs_ = file_->epochs();
    bytes_ = file_->bytes();
  }
  const Position last = ring_.last();
  lock.unlock();
  changed_.notify_all();
  listener_(last);
  lock.lock();
}

void DiskJournal::Recover(Lock& lock) {
  const bool was_open = on_disk_.epoch != 0;
  lock.unlock();
  file_.reset();
  OpenedJournal opened = OpenOrRecreate(path());
  lock.lock();
  absl::Status status = opened.file.status();
  if (status.ok()) {
    // Never further than was seen to be written: a write that failed may have reached the disk.
    const Position has = opened.contents.last;
    // A file of another time: its positions would not come before those of the memory.
    const bool foreign = !was_open && has.epoch != 0 && has >= ring_.last() && ring_.size() > 0;
    on_disk_ = foreign ? Position{} : was_open ? std::min(on_disk_, has) : has;
    status = WriteMemory(**opened.file, lock);
  }
  if (!status.ok()) {
    problem_ = status;
    failed_at_ = clock_.Now();
    return;
  }
  if (!opened.recreated.empty()) recreated_ = opened.recreated;
  {
    lock.unlock();
    const std::lock_guard reading(reader_mutex_);
    reader_.reset();  // it may have the file that was before
    lock.lock();
  }
  file_ = *std::move(opened.file);
  disk_epochs_ = file_->epochs();
  bytes_ = file_->bytes();
  durable_ = true;
  new_epoch_ = false;
  problem_ = absl::OkStatus();
}

// Where it does not, positions would be missing within what is kept.
bool DiskJournal::Follows(const std::vector<AlertPtr>& batch) const {
  if (on_disk_.epoch == 0) return false;
  if (batch.empty()) return ring_.last() == on_disk_;
  const Position first = batch.front()->position;
  return first.epoch != on_disk_.epoch || first.sequence == on_disk_.sequence + 1;
}

absl::Status DiskJournal::WriteMemory(JournalFile& file, Lock& lock) {
  const std::vector<AlertPtr> batch = ring_.AllAfter(on_disk_);
  const std::vector<AlertPtr> open = open_.All();
  const Position after = on_disk_;
  const bool follows = Follows(batch);
  const absl::Time wall = clock_.WallNow();
  writing_since_ = clock_.Now();
  lock.unlock();
  const absl::Status status =
      file.Write({.alerts = batch, .all_open = &open, .after = &after, .from_empty = !follows},
                 options_.limits, wall);
  lock.lock();
  writing_since_.reset();
  written_at_ = clock_.Now();
  if (status.ok() && !batch.empty()) on_disk_ = batch.back()->position;
  return status;
}

void DiskJournal::Tend(KernelTime now) {
  Position shown;
  {
    const std::lock_guard lock(mutex_);
    if (!durable_ || !writing_since_) return;
    if (now - *writing_since_ < absl::ToInt64Nanoseconds(options_.hangs)) return;
    Fail(absl::DeadlineExceededError(absl::StrCat(path(), ": the disk does not answer")));
    shown = ring_.last();
  }
  listener_(shown);
}

void DiskJournal::Flush(std::chrono::nanoseconds limit) {
  Lock lock(mutex_);
  changed_.wait_for(lock, limit, [this] { return queue_.empty(); });
}

}  // namespace kvmsentry
