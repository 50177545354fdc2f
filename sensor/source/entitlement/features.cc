#include "sensor/source/entitlement/features.h"

#include <array>

#include "sensor/source/entitlement/members.h"

namespace kvmsentry {
namespace {

constexpr auto kSet = FeatureKind::kSet;
constexpr Points kRogue(Point::kK5);
constexpr Points kBounds(Point::kR2, Point::kR3, Point::kK4);
constexpr Points kShared(Point::kK4, Point::kR3, Point::kK2);
constexpr Points kDataArea(Point::kR3, Point::kR2);
constexpr Points kStorage(Point::kR1, Point::kR3);
constexpr Points kEntering(Point::kK3, Point::kR2);
constexpr Points kRights(Point::kR2, Point::kK5, Point::kK2);

// Without hooks: what is known of each VM from its process, its files and its manager's.
constexpr std::array kFeatures = {
    Feature{.name = "vm.runner",
            .kind = kSet,
            .points = kRogue,
            .unit = "runner",
            .noun = "users and programs that run it",
            .hooks = {},
            .member = &kRunner},
    Feature{.name = "vm.manager",
            .kind = kSet,
            .points = kRogue,
            .unit = "manager",
            .noun = "managers that know it, on a host with managers",
            .hooks = {},
            .member = &kManager},
    Feature{.name = "vm.undeclared",
            .kind = kSet,
            .points = kBounds,
            .unit = "device",
            .noun = "devices that neither its command line nor its manager declares",
            .hooks = {},
            .member = &kDevice},
    Feature{.name = "memory.shared",
            .kind = kSet,
            .points = kShared,
            .unit = "memory",
            .noun = "files of its memory that other VMs have, too",
            .hooks = {},
            .member = &kMemoryFile},
    Feature{.name = "image.grown",
            .kind = kSet,
            .points = kDataArea,
            .unit = "image",
            .noun = "raw images that are larger than at first",
            .hooks = {},
            .member = &kImagePath},
    Feature{.name = "image.no_space",
            .kind = kSet,
            .points = kStorage,
            .unit = "image",
            .noun = "images that may have to grow on a file system that is full",
            .hooks = {},
            .member = &kImagePath},
    Feature{.name = "monitor.network",
            .kind = kSet,
            .points = kEntering,
            .unit = "monitor",
            .noun = "monitors that listen on the network",
            .hooks = {},
            .member = &kNetworkMonitor},
    Feature{.name = "vm.gained",
            .kind = kSet,
            .points = kRights,
            .unit = "right",
            .noun = "rights, labels and namespaces that its VMM had not at first",
            .hooks = {},
            .member = &kRight},
};

}  // namespace

std::span<const Feature> EntitlementFeatures() { return kFeatures; }

}  // namespace kvmsentry
