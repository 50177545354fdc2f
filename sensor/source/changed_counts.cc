#include "sensor/source/changed_counts.h"

#include "sensor/source/catalogue.h"

namespace kvmsentry {

ChangedCounts::OfVm::OfVm() : latest_(Catalogue().size()) {}

}  // namespace kvmsentry
