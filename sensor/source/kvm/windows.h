// Which accesses of a guest reach a device that its VM was given. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "sensor/given/given.h"

namespace kvmsentry {

class Windows {
 public:
  // nullopt where nobody knows all devices: any access may be to one.
  static std::optional<Windows> Of(const Given& given);

  bool HavePort(uint64_t port) const { return Have(ports_, port, port); }
  // Whether a device has a part of the page of 4 KiB at ADDRESS.
  bool HavePage(uint64_t address) const;

 private:
  using Ranges = std::vector<std::pair<uint64_t, uint64_t>>;  // first and last
  static bool Have(const Ranges& ranges, uint64_t first, uint64_t last);

  Ranges ports_, addresses_;
};

}  // namespace kvmsentry
