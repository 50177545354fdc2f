#include "sensor/feature/method.h"

namespace kvmsentry {

absl::string_view PointName(Point point) {
  switch (point) {
    case Point::kNone:
      return "none";
    case Point::kK1:
      return "K1";
    case Point::kK2:
      return "K2";
    case Point::kK3:
      return "K3";
    case Point::kK4:
      return "K4";
    case Point::kK5:
      return "K5";
    case Point::kK6:
      return "K6";
    case Point::kK7:
      return "K7";
    case Point::kR1:
      return "R1";
    case Point::kR2:
      return "R2";
    case Point::kR3:
      return "R3";
    case Point::kR4:
      return "R4";
    case Point::kR5:
      return "R5";
  }
  return "none";
}

absl::string_view PointText(Point point) {
  switch (point) {
    case Point::kNone:
      return "no point";
    case Point::kK1:
      return "access to sensitive data or files inside the VM";
    case Point::kK2:
      return "leaving the VM (guest to host)";
    case Point::kK3:
      return "entering the VM (host to guest)";
    case Point::kK4:
      return "data shared with the host OS, another VM or another program";
    case Point::kK5:
      return "the interfaces to the host OS and its resources";
    case Point::kK6:
      return "the source side of a migration";
    case Point::kK7:
      return "the destination side of a migration";
    case Point::kR1:
      return "the VM's physical resources";
    case Point::kR2:
      return "the VM's privilege";
    case Point::kR3:
      return "the VM's own data area on the host";
    case Point::kR4:
      return "an application process's data area inside the VM";
    case Point::kR5:
      return "the VM's I/O parameters";
  }
  return "no point";
}

absl::string_view SeverityName(Severity severity) {
  switch (severity) {
    case Severity::kNone:
      return "NONE";
    case Severity::kInfo:
      return "INFO";
    case Severity::kNotice:
      return "NOTICE";
    case Severity::kWarning:
      return "WARNING";
    case Severity::kCritical:
      return "CRITICAL";
  }
  return "NONE";
}

absl::string_view CoverageName(Coverage coverage) {
  switch (coverage) {
    case Coverage::kUnknown:
      return "UNKNOWN";
    case Coverage::kActive:
      return "ACTIVE";
    case Coverage::kAttached:
      return "ATTACHED";
    case Coverage::kDegraded:
      return "DEGRADED";
    case Coverage::kUnobservable:
      return "UNOBSERVABLE";
  }
  return "UNKNOWN";
}

}  // namespace kvmsentry
