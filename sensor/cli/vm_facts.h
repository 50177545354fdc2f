// What is read off a VM's status. Pure.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "kvmsentry/v1/sensor.pb.h"

namespace kvmsentry {

// The sum of levels; nullopt where none of them is known: that is not zero.
std::optional<double> LevelOf(const v1::VmStatus& vm, std::initializer_list<const char*> features);

std::optional<double> CpusOf(const v1::VmStatus& vm);
std::optional<double> MemoryOf(const v1::VmStatus& vm);  // MiB
std::optional<double> DiskOf(const v1::VmStatus& vm);    // bytes per second
std::optional<double> NetOf(const v1::VmStatus& vm);     // bytes per second

// The features of which most occurs, per second, the most frequent first; bytes are not among them.
std::vector<std::pair<std::string, double>> LeadingRates(const v1::VmStatus& vm, size_t most);

}  // namespace kvmsentry
