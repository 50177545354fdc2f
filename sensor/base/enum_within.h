// Numbers of a record as values of an enum.
#pragma once

#include <cstdint>

namespace kvmsentry {

// A record may hold any number: what is beyond LAST, no value of the enum, becomes its zero.
template <typename Enum>
Enum EnumWithin(uint32_t value, Enum last) {
  return value <= static_cast<uint32_t>(last) ? static_cast<Enum>(value) : Enum{};
}

}  // namespace kvmsentry
