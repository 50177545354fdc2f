#include "sensor/source/vhost/queue_parts.h"

#include <algorithm>
#include <functional>

namespace kvmsentry {

void QueueParts::Renumber(const std::vector<Row>& rows) {
  for (uint64_t& device : devices_) {
    if (std::ranges::find(rows, device, &Row::device) == rows.end()) device = 0;
  }
  for (const Row& row : rows) {
    if (std::ranges::find(devices_, row.device) != devices_.end()) continue;
    const auto free = std::ranges::find(devices_, 0U);
    if (free == devices_.end()) {
      devices_.push_back(row.device);
    } else {
      *free = row.device;
    }
  }
}

std::vector<QueueParts::Part> QueueParts::Take(const std::vector<Row>& rows) {
  Renumber(rows);
  std::map<uint32_t, QueueMeters> counts;
  for (const Row& row : rows) {
    const auto number =
        static_cast<uint32_t>(std::ranges::find(devices_, row.device) - devices_.begin());
    const uint32_t index = number << 8 | (row.index & 0xff);
    Queue& queue = queues_[index];
    // Its counts are in what was before: user space frees a row only once it has seen it rest.
    if (row.first_ns < queue.first_ns) continue;
    if (queue.first_ns != row.first_ns) {
      std::ranges::transform(queue.before, queue.latest, queue.before.begin(), std::plus<>());
      queue.first_ns = row.first_ns;
    }
    queue.latest = row.count;
    std::ranges::transform(queue.before, queue.latest, counts[index].begin(), std::plus<>());
  }
  std::vector<Part> parts;
  for (const auto& [index, count] : counts) {
    parts.push_back({.id = {PartKind::kQueue, index}, .count = count});
  }
  return parts;
}

}  // namespace kvmsentry
