// What is open now, in short: by severity, and by VM. Pure.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "kvmsentry/v1/sensor.pb.h"
#include "sensor/alert/journal.h"

namespace kvmsentry {

// The silence that matches an alert now; 0: none.
using SilencedByNow = std::function<uint64_t(const AlertEvent&)>;

class OpenSummary {
 public:
  // OPEN: the latest step of each open alert.
  OpenSummary(std::span<const AlertPtr> open, const SilencedByNow& silenced_by);

  void FillStatus(v1::GetStatusResponse& status) const;
  void FillVm(uint64_t vm, v1::VmStatus& status) const;

 private:
  struct OfSeverity {
    uint32_t heard = 0;
    uint32_t silenced = 0;
    std::vector<std::string> vms;
  };
  struct OfVm {
    AlertPtr worst;  // that is heard; nullptr: none is
    uint32_t silenced = 0;
  };
  std::map<Severity, OfSeverity, std::greater<>> severities_;
  std::map<uint64_t, OfVm> vms_;                  // by their serials
  std::map<std::string, uint64_t> own_silenced_;  // of the sensor's own alerts, by spec
};

}  // namespace kvmsentry
