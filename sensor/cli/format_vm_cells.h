// The texts of a VM's status that tables and its detail share. What is not known is "-": missing is
// not zero.
#pragma once

#include <optional>
#include <string>

#include "kvmsentry/v1/sensor.pb.h"
#include "sensor/cli/table.h"

namespace kvmsentry {

Cell StateCell(
    const v1::VmStatus& vm);  // the severity of its worst alert, "silenced", "ok", "UNSEEN"
std::string IfWatched(const v1::VmStatus& vm, std::string text);
std::string OrDash(const std::string& text);
std::string CpusText(const v1::VmStatus& vm);    // "0.50"
std::string WaitsText(const v1::VmStatus& vm);   // "12%"
std::string MemoryText(const v1::VmStatus& vm);  // "64 MiB"
std::string FlowText(std::optional<double> bytes_per_second);

}  // namespace kvmsentry
