#include "sensor/source/kvm/windows.h"

#include <algorithm>

#include "bpf/kvm/records.h"

namespace kvmsentry {

std::optional<Windows> Windows::Of(const Given& given) {
  if (!given.windows_whole) return std::nullopt;
  Windows windows;
  for (const given::Window& window : given.windows) {
    Ranges& ranges = window.ports ? windows.ports_ : windows.addresses_;
    ranges.emplace_back(window.first, window.last);
  }
  return windows;
}

bool Windows::HavePage(uint64_t address) const {
  return Have(addresses_, address, address + (1 << KS_PAGE_SHIFT) - 1);
}

bool Windows::Have(const Ranges& ranges, uint64_t first, uint64_t last) {
  return std::ranges::any_of(ranges, [first, last](const auto& range) {
    return range.first <= last && first <= range.second;
  });
}

}  // namespace kvmsentry
