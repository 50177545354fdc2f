// How often each caller may ask: a token bucket each.
#pragma once

#include <cstddef>
#include <mutex>
#include <string>
#include <unordered_map>

#include "sensor/base/time.h"

namespace kvmsentry {

// A caller that was quiet may ask for two seconds' worth at once. Of more callers than kMaxCallers
// at once the last share one bucket, so that names which clients choose take no more memory.
// Thread safe.
class RateLimit {
 public:
  static constexpr size_t kMaxCallers = 1024;

  // PER_SECOND calls of each; 0: no limit.
  explicit RateLimit(double per_second) : per_second_(per_second) {}

  // Whether CALLER may ask at NOW; it then has.
  bool Take(const std::string& caller, KernelTime now);

  double per_second() const { return per_second_; }

 private:
  struct Bucket {
    double tokens = 0;
    KernelTime filled;
  };

  void Fill(Bucket& bucket, KernelTime now) const;
  Bucket& BucketOf(const std::string& caller, KernelTime now);

  const double per_second_;
  std::mutex mutex_;
  std::unordered_map<std::string, Bucket> buckets_;  // guarded by mutex_
  Bucket shared_;                                    // guarded by mutex_
};

}  // namespace kvmsentry
