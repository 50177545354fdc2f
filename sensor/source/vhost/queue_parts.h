// The virtqueues of one VM as parts of it, and what each has counted in all. Pure. Not thread safe.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <vector>

#include "bpf/vhost/records.h"
#include "sensor/feature/part.h"

namespace kvmsentry {

using QueueMeters = std::array<uint64_t, KS_VHOST_METERS>;  // by ks_vhost_meter

class QueueParts {
 public:
  // What a row of the table says of a queue of DEVICE. The kernel's programs give a row up and make
  // another of the same queue, which begins at 0.
  struct Row {
    uint64_t device = 0;
    uint32_t index = 0;  // in the device, below 256
    uint64_t first_ns = 0;
    QueueMeters count = {};
  };
  struct Part {
    PartId id;
    QueueMeters count = {};  // of all rows that the queue had; never goes back
  };

  // ROWS are those that there are, in the order in which they were made. A device is numbered as it
  // comes; the number of one that has no row any more is the next new one's.
  std::vector<Part> Take(const std::vector<Row>& rows);

 private:
  struct Queue {
    uint64_t first_ns = 0;    // of its latest row
    QueueMeters latest = {};  // of that row
    QueueMeters before = {};  // of those before it
  };

  void Renumber(const std::vector<Row>& rows);

  std::vector<uint64_t> devices_;     // by number; 0: free
  std::map<uint32_t, Queue> queues_;  // by the part's index
};

}  // namespace kvmsentry
