// The kernel's maps of the source resource that are not mapped into this process.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "sensor/base/status.h"
#include "sensor/source/resource/survey.h"

namespace kvmsentry {

// MAP is a descriptor; a negative one holds nothing.
std::map<uint64_t, ks_resource_tap> ReadTaps(int map);

// Reads and deletes all.
std::vector<Survey::Taker> TakeTakers(int map);

// Makes what MAP holds AFTER; it holds BEFORE.
absl::Status SetVictims(int map, const std::vector<Survey::Victim>& before,
                        const std::vector<Survey::Victim>& after);

}  // namespace kvmsentry
