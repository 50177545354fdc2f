#include "sensor/daemon/free_memory.h"

#include <malloc.h>

namespace kvmsentry {
namespace {

// What is less is soon used again.
constexpr size_t kMuch = 8 << 20;

}  // namespace

void ReturnFreeMemory() {
  if (mallinfo2().fordblks > kMuch) malloc_trim(kMuch / 2);
}

}  // namespace kvmsentry
