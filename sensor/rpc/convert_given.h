// What a VM was given, as the public proto has it.
#pragma once

#include "kvmsentry/v1/sensor.pb.h"
#include "sensor/rpc/sensor_view.h"

namespace kvmsentry {

// Nothing where it was not read. What KVM says now, memory and vCPUs, is put in.
void AddGiven(const VmView& vm, v1::VmStatus* status);

}  // namespace kvmsentry
