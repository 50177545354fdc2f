// The one place that lists the domains. A test may link a list of its own.
#include "sensor/source/domains.h"

#include "sensor/source/entitlement/features.h"
#include "sensor/source/kvm/features.h"
#include "sensor/source/resource/features.h"
#include "sensor/source/vfio/features.h"
#include "sensor/source/vhost/features.h"
#include "sensor/source/vmm/features.h"

namespace kvmsentry {
namespace {

constexpr Domain kDomains[] = {
    {SourceId::kKvm, "kvm", KvmFeatures},
    {SourceId::kVfio, "vfio", VfioFeatures},
    {SourceId::kVhost, "vhost", VhostFeatures},
    {SourceId::kResource, "resource", ResourceFeatures},
    {SourceId::kVmm, "vmm", VmmFeatures},
    {SourceId::kEntitlement, "entitlement", EntitlementFeatures},
};

}  // namespace

std::span<const Domain> Domains() { return kDomains; }

}  // namespace kvmsentry
