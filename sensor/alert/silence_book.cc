#include "sensor/alert/silence_book.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "sensor/base/escape.h"
#include "sensor/base/glob.h"

namespace kvmsentry {
namespace {

absl::Status Wrong(absl::string_view field, absl::string_view problem) {
  return absl::InvalidArgumentError(absl::StrCat(field, ": ", problem));
}

absl::Status CheckGlob(absl::string_view field, absl::string_view glob) {
  if (glob.size() > kMaxSilenceGlob) {
    return Wrong(field, absl::StrCat(glob.size(), " bytes, at most ", kMaxSilenceGlob));
  }
  const absl::string_view problem = GlobProblem(glob);
  return problem.empty() ? absl::OkStatus() : Wrong(field, problem);
}

absl::Status Check(const SilenceMatch& match, absl::Duration lasts, absl::string_view comment,
                   absl::string_view author) {
  if (match.vm.empty() && match.spec.empty() && match.point == Point::kNone) {
    return Wrong("match", "says nothing; set vm, spec or point, \"*\" for all of them");
  }
  KVMSENTRY_RETURN_IF_ERROR(CheckGlob("match.vm", match.vm));
  KVMSENTRY_RETURN_IF_ERROR(CheckGlob("match.spec", match.spec));
  if (absl::StartsWith(match.spec, "self-") && IsPattern(match.spec)) {
    return Wrong("match.spec",
                 "alerts of the sensor itself are silenced by their whole id alone: "
                 "self-specs");
  }
  if (lasts < absl::Seconds(1) || lasts > kLongestSilence) {
    return Wrong("lasts", absl::StrCat(absl::FormatDuration(lasts), " is not within 1s and ",
                                       absl::FormatDuration(kLongestSilence)));
  }
  if (comment.empty()) return Wrong("comment", "empty; say why, for who comes after you");
  if (comment.size() > kMaxSilenceComment) {
    return Wrong("comment", absl::StrCat(comment.size(), " bytes, at most ", kMaxSilenceComment));
  }
  if (author.size() > kMaxSilenceAuthor) {
    return Wrong("author", absl::StrCat(author.size(), " bytes, at most ", kMaxSilenceAuthor));
  }
  return absl::OkStatus();
}

KernelTime LatestEnd(const Silence& silence, const Clock& clock) {
  const absl::Duration whole =
      std::clamp(silence.ends_at - silence.created_at, absl::ZeroDuration(), kLongestSilence);
  const absl::Duration rest =
      std::clamp(silence.ends_at - clock.WallNow(), absl::ZeroDuration(), whole);
  return clock.Now() + absl::ToInt64Nanoseconds(rest);
}

}  // namespace

absl::StatusOr<std::unique_ptr<SilenceBook>> SilenceBook::Open(const std::string& dir,
                                                               const Clock& clock) {
  auto book = std::make_unique<SilenceBook>(clock);
  book->path_ = absl::StrCat(dir, "/silences.textproto");
  absl::StatusOr<KeptSilences> kept = ReadSilences(book->path_);
  if (absl::IsDataLoss(kept.status())) {
    const std::string aside = book->path_ + ".unreadable";
    if (rename(book->path_.c_str(), aside.c_str()) != 0) {
      return absl::ErrnoToStatus(errno, book->path_);
    }
    book->problem_ =
        absl::StrCat(kept.status().message(), "; moved to ", aside, ", nothing is silenced by it");
    return book;
  }
  if (!kept.ok()) return kept.status();
  book->last_id_ = kept->last_id;
  for (Silence& silence : kept->silences) silence.ends_at_latest = LatestEnd(silence, clock);
  std::ranges::sort(kept->silences, {}, &Silence::id);
  book->Put(std::make_shared<const Silences>(std::move(kept->silences)));
  return book;
}

absl::StatusOr<Silence> SilenceBook::Add(SilenceMatch match, absl::Duration lasts,
                                         absl::string_view comment, absl::string_view author) {
  KVMSENTRY_RETURN_IF_ERROR(Check(match, lasts, comment, author));
  const std::lock_guard changing(changing_);
  Silences silences = NotEnded();
  if (silences.size() >= kMaxSilences) {
    return absl::ResourceExhaustedError(
        absl::StrCat(silences.size(), " silences are active, no more are allowed; end one"));
  }
  const absl::Time now = clock_.WallNow();
  Silence silence{.id = ++last_id_,
                  .match = std::move(match),
                  .created_at = now,
                  .ends_at = now + lasts,
                  .ends_at_latest = clock_.Now() + absl::ToInt64Nanoseconds(lasts),
                  .comment = Escape(comment, kMaxSilenceComment),
                  .author = Escape(author, kMaxSilenceAuthor)};
  silences.push_back(silence);
  KVMSENTRY_RETURN_IF_ERROR(Keep(silences));
  Put(std::make_shared<const Silences>(std::move(silences)));
  return silence;
}

absl::StatusOr<Silence> SilenceBook::End(uint64_t id) {
  const std::lock_guard changing(changing_);
  Silences silences = NotEnded();
  const auto found = std::ranges::find(silences, id, &Silence::id);
  if (found == silences.end()) {
    return absl::NotFoundError(absl::StrCat("no active silence has the id ", id));
  }
  Silence ended = std::move(*found);
  silences.erase(found);
  Put(std::make_shared<const Silences>(silences));
  KVMSENTRY_RETURN_IF_ERROR(Keep(silences));
  return ended;
}

std::vector<Silence> SilenceBook::Active() const {
  const std::shared_ptr<const Silences> all = Get();
  const absl::Time wall = clock_.WallNow();
  const KernelTime steady = clock_.Now();
  Silences active;
  std::ranges::copy_if(*all, std::back_inserter(active),
                       [&](const Silence& silence) { return silence.IsActive(wall, steady); });
  return active;
}

// Also those that the wall clock has been set back before.
std::vector<Silence> SilenceBook::NotEnded() const {
  Silences rest = *Get();
  const absl::Time wall = clock_.WallNow();
  const KernelTime steady = clock_.Now();
  std::erase_if(rest, [&](const Silence& silence) { return silence.HasEnded(wall, steady); });
  return rest;
}

uint64_t SilenceBook::SilencedBy(const AlertEvent& event) const {
  const std::shared_ptr<const Silences> all = Get();
  if (all->empty()) return 0;
  return kvmsentry::SilencedBy(*all, event, clock_.WallNow(), clock_.Now());
}

std::shared_ptr<const SilenceBook::Silences> SilenceBook::Get() const {
  const std::lock_guard lock(mutex_);
  return silences_;
}

void SilenceBook::Put(std::shared_ptr<const Silences> silences) {
  const std::lock_guard lock(mutex_);
  silences_.swap(silences);
}

absl::Status SilenceBook::Keep(const Silences& silences) {
  return path_.empty() ? absl::OkStatus()
                       : WriteSilences(path_, {.last_id = last_id_, .silences = silences});
}

}  // namespace kvmsentry
