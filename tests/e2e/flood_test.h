// While somebody floods the sensor with one thing, other VMs break a norm once: each is told, and
// nothing is lost. Which floods there are depends on where the test runs: an instantiation each.
#pragma once

#include <cstdint>
#include <functional>
#include <ostream>
#include <set>
#include <string>
#include <vector>

#include "tests/e2e/fixture.h"
#include "tests/e2e/flood.h"

namespace kvmsentry {

struct FloodCase {
  std::string name;
  std::function<FloodOr()> start;
  uint64_t least;  // so often it happened while a hundred VMs broke the norm, or it was none

  friend std::ostream& operator<<(std::ostream& out, const FloodCase& flood) {
    return out << flood.name;
  }
};

// By a guest whose behaviour is OPTIONS of kvmsentry-test-guest.
inline FloodCase ByGuest(const std::string& name, const std::string& options,
                         uint64_t least = 5000) {
  return {name, [options] { return FloodByGuest("--behaviour " + options); }, least};
}

class FloodTest : public E2eTest, public ::testing::WithParamInterface<FloodCase> {
 protected:
  // Starts VMs that each touch a forbidden port once.
  static absl::StatusOr<std::vector<Guest>> StartVictims();
  // Reads until each of VICTIMS has its alert; removes those that had it.
  static absl::Status AwaitAlerts(AlertStream& stream, std::set<uint32_t>& victims);
};

inline std::string FloodName(const ::testing::TestParamInfo<FloodCase>& flood) {
  return flood.param.name;
}

}  // namespace kvmsentry
