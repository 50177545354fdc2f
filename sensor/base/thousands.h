// Large numbers as people read them.
#pragma once

#include <cstdint>
#include <string>

namespace kvmsentry {

std::string GroupDigits(std::string digits);  // of digits only
std::string WithThousands(uint64_t number);   // "1,234,567"

}  // namespace kvmsentry
