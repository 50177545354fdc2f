// Which of the hooks that are files of a VM's cgroup give what they promise. Pure.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "sensor/base/ids.h"
#include "sensor/source/resource/survey.h"
#include "sensor/source/source.h"

namespace kvmsentry {

// Of the VMs that REPORT has looked at, by NAMES. Empty where it has looked at none.
std::vector<FileSight> FileSightsOf(const Survey::Report& report,
                                    const std::map<VmId, std::string>& names);

}  // namespace kvmsentry
