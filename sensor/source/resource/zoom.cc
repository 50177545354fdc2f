#include "sensor/source/resource/zoom.h"

namespace kvmsentry {

bool Zoom::Judge(bool deviates, KernelTime now) {
  if (deviates) deviated_ = now;
  if (on_ && !deviates && now - deviated_ >= kHoldNs) {
    on_ = false;
    off_since_ = now;
  } else if (!on_ && deviates && (!off_since_ || now - *off_since_ >= kCoolDownNs)) {
    on_ = true;
  }
  return on_;
}

}  // namespace kvmsentry
