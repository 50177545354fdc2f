// How many different members of a set one VM was seen with lately.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "sensor/base/time.h"
#include "sensor/feature/member.h"

namespace kvmsentry {

// A guest chooses its members, so no more than one too many are remembered, in 16 bytes each: of a
// text its hash. While these are too many, all others are.
class VarietyWatch {
 public:
  // MEMBER was seen at TIME. True where MOST others were seen within WINDOW_NS as well, or where it
  // stands for members that found no room in the kernel's tables.
  bool Add(const Member& member, KernelTime time, uint32_t most, int64_t window_ns);

  // There were not too many for QUIET_NS before NOW.
  bool Quiet(KernelTime now, int64_t quiet_ns) const { return now - too_many_at_ >= quiet_ns; }

  // Those that were last seen before that, and the room for them.
  void Forget(KernelTime before);

 private:
  struct Seen {
    uint64_t id = 0;
    KernelTime at;
  };

  void Insert(uint64_t id, KernelTime time, uint32_t most);

  std::vector<Seen> seen_;  // by id
  KernelTime oldest_;       // none of them is older
  KernelTime too_many_at_;
};

}  // namespace kvmsentry
