#include "sensor/rpc/access/rate_limit.h"

#include <algorithm>

namespace kvmsentry {

bool RateLimit::Take(const std::string& caller, KernelTime now) {
  if (per_second_ <= 0) return true;
  std::lock_guard lock(mutex_);
  Bucket& bucket = BucketOf(caller, now);
  Fill(bucket, now);
  if (bucket.tokens < 1) return false;
  bucket.tokens -= 1;
  return true;
}

void RateLimit::Give(const std::string& caller) {
  std::lock_guard lock(mutex_);
  const auto found = buckets_.find(caller);
  if (found == buckets_.end()) return;  // it was full, or has shared one
  found->second.tokens = std::min(at_once_, found->second.tokens + 1);
}

void RateLimit::Fill(Bucket& bucket, KernelTime now) const {
  // Two threads may read the clock in one order and come here in the other.
  const double passed = std::max(0.0, static_cast<double>(now - bucket.filled) / kNsPerSecond);
  bucket.tokens = std::min(at_once_, bucket.tokens + passed * per_second_);
  bucket.filled = std::max(bucket.filled, now);
}

RateLimit::Bucket& RateLimit::BucketOf(const std::string& caller, KernelTime now) {
  const auto found = buckets_.find(caller);
  if (found != buckets_.end()) return found->second;
  if (buckets_.size() >= kMaxCallers) {
    // A full bucket is as good as none.
    for (auto& [name, bucket] : buckets_) Fill(bucket, now);
    std::erase_if(buckets_, [&](const auto& entry) { return entry.second.tokens >= at_once_; });
  }
  if (buckets_.size() >= kMaxCallers) return shared_;
  return buckets_.emplace(caller, Bucket{at_once_, now}).first->second;
}

}  // namespace kvmsentry
