#include "sensor/base/thousands.h"

#include <utility>

namespace kvmsentry {

std::string GroupDigits(std::string digits) {
  for (size_t place = digits.size(); place > 3;) {
    place -= 3;
    digits.insert(place, 1, ',');
  }
  return digits;
}

std::string WithThousands(uint64_t number) { return GroupDigits(std::to_string(number)); }

}  // namespace kvmsentry
