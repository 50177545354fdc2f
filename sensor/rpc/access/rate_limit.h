// How much each caller may have: a token bucket each.
#pragma once

#include <cstddef>
#include <mutex>
#include <string>
#include <unordered_map>

#include "sensor/base/time.h"

namespace kvmsentry {

// A caller that was quiet has AT_ONCE tokens. Of more callers than kMaxCallers
// at once the last share one bucket, so that names which clients choose take no more memory.
// Thread safe.
class RateLimit {
 public:
  static constexpr size_t kMaxCallers = 1024;

  // PER_SECOND new tokens for each; 0: no limit.
  RateLimit(double per_second, double at_once) : per_second_(per_second), at_once_(at_once) {}

  // Whether CALLER had a token at NOW, which it then has no more.
  bool Take(const std::string& caller, KernelTime now);
  // A token comes back.
  void Give(const std::string& caller);

  double per_second() const { return per_second_; }
  double at_once() const { return at_once_; }

 private:
  struct Bucket {
    double tokens = 0;
    KernelTime filled;
  };

  void Fill(Bucket& bucket, KernelTime now) const;
  Bucket& BucketOf(const std::string& caller, KernelTime now);

  const double per_second_;
  const double at_once_;
  std::mutex mutex_;
  std::unordered_map<std::string, Bucket> buckets_;  // guarded by mutex_
  Bucket shared_;                                    // guarded by mutex_
};

}  // namespace kvmsentry
