// Between the sensor's types and the public protos. Every text that goes out is made harmless and
// valid UTF-8: protobuf refuses a message with any other, and one bad name would end a stream.
#pragma once

#include "kvmsentry/v1/alert.pb.h"
#include "kvmsentry/v1/alerts.pb.h"
#include "kvmsentry/v1/sensor.pb.h"
#include "sensor/alert/journal.h"
#include "sensor/alert/position.h"
#include "sensor/alert/resume.h"
#include "sensor/inventory/host_pressure.h"
#include "sensor/rpc/sensor_view.h"

namespace kvmsentry {

v1::Position ToProto(Position position);
v1::Alert ToProto(const JournaledAlert& alert);
v1::Gap ToProto(const Gap& gap);
v1::VmRef ToProto(const VmFacts& vm);
// VCPU_EXITS: also vCPU by vCPU. What the VM was given: convert_given.h.
v1::VmStatus ToProto(const VmView& vm, bool vcpu_exits = false);
v1::SpecInfo ToProto(const SpecView& spec);  // without whole texts
void AddWholeTexts(const SpecView& spec, v1::SpecInfo* proto);
v1::DisabledSpec ToProto(const DisabledSpec& spec);
v1::SpecLibraryStatus ToProto(const LibraryView& library);
// Whether SPEC applies to VM.
v1::SpecSelection SelectionOf(const SpecView& spec, const VmFacts& vm);

v1::Journal ToProto(const JournalState& state);

// All of a status but what only the server knows.
v1::GetStatusResponse ToProto(const SensorStatus& status);
v1::HostPressure ToProto(const HostPressure& pressure);

// Times outside of the years 1 to 9999, which a Timestamp cannot hold, become the nearest it can.
google::protobuf::Timestamp ToProto(absl::Time time);
// Infinite and negative durations, which nothing here means, become the nearest sensible one.
google::protobuf::Duration ToProto(absl::Duration duration);

}  // namespace kvmsentry
