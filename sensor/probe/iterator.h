// Reading what BPF iterators write.
#pragma once

#include <cstddef>
#include <cstring>
#include <functional>
#include <type_traits>

#include "sensor/base/fd.h"
#include "sensor/base/status.h"

namespace kvmsentry {

// A link of the iterator program PROGRAM over the tasks of process PID. There need be no such
// process. Wants Linux 6.1.
absl::StatusOr<Fd> IterateOverProcess(int program, int32_t pid);

// Runs the iterator of LINK once and hands what it writes to VISIT in pieces of SIZE bytes, as they
// come: an iterator may write much.
absl::Status ReadIterator(int link, size_t size, const std::function<void(const char*)>& visit);

template <typename Element, typename Visit>
absl::Status ReadIterator(int link, const Visit& visit) {
  static_assert(std::is_trivially_copyable_v<Element>);
  return ReadIterator(link, sizeof(Element), [&](const char* bytes) {
    Element element;
    std::memcpy(&element, bytes, sizeof(element));
    visit(element);
  });
}

}  // namespace kvmsentry
