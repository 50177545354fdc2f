// The domains of tests: the real ones, and one more with a feature of each kind.
#include "tests/unit/source/test_domain.h"

#include <array>

#include "sensor/source/domains.h"
#include "sensor/source/entitlement/features.h"
#include "sensor/source/kvm/features.h"
#include "sensor/source/kvm/members.h"
#include "sensor/source/resource/features.h"
#include "sensor/source/vfio/features.h"
#include "sensor/source/vhost/features.h"
#include "sensor/source/vmm/features.h"

namespace kvmsentry {
namespace {

constexpr NamedMember kStates[] = {{0, "idle"}, {1, "running"}, {2, "stuck"}};
std::span<const NamedMember> StateNames() { return kStates; }

}  // namespace

constinit const MemberKind kTestState = {.key = "test_state",
                                         .noun = "test state",
                                         .largest = 2,
                                         .number = NumberFormat::kDecimal,
                                         .names = StateNames,
                                         .hint = "idle"};
constinit const MemberKind kTestPath = {
    .key = "test_path", .noun = "path", .hint = "/var/lib/*", .type = MemberType::kText};
constinit const MemberKind kTestAddress = {.key = "test_address",
                                           .noun = "address",
                                           .hint = "10.0.0.0/8 or fe80::1",
                                           .type = MemberType::kAddress};
constinit const MemberKind kTestPair = {.key = "test_pair",
                                        .noun = "pair",
                                        .hint = "com1->LSTAR",
                                        .type = MemberType::kPair,
                                        .first = &kPort,
                                        .second = &kMsr};

namespace {

constexpr auto kRate = FeatureKind::kRate;
constexpr auto kSet = FeatureKind::kSet;
constexpr auto kLevel = FeatureKind::kLevel;
constexpr Points kPoints(Point::kR1);

constexpr std::array kFeatures = {
    Feature{.name = "test.memory",
            .kind = kLevel,
            .points = kPoints,
            .unit = "MiB",
            .noun = "memory in use",
            .hooks = "test",
            .given = true},
    Feature{.name = "test.share",
            .kind = kLevel,
            .points = kPoints,
            .unit = "%",
            .noun = "time stolen",
            .hooks = "test",
            .scale = 10},
    Feature{.name = "test.state",
            .kind = FeatureKind::kState,
            .points = kPoints,
            .unit = "state",
            .noun = "the test",
            .hooks = "test",
            .member = &kTestState},
    Feature{.name = "test.vcpu.rate",
            .kind = kRate,
            .points = kPoints,
            .unit = "1/s",
            .noun = "steps",
            .hooks = "test",
            .meter = 900,
            .part = PartKind::kVcpu},
    Feature{.name = "test.disk.memory",
            .kind = kLevel,
            .points = kPoints,
            .unit = "MiB",
            .noun = "cache",
            .hooks = "test",
            .part = PartKind::kDisk},
    Feature{.name = "test.unlimited.rate",
            .kind = kRate,
            .points = kPoints,
            .unit = "1/s",
            .noun = "steps",
            .hooks = "test",
            .meter = 901,
            .kernel_limit = false},
    Feature{.name = "test.path",
            .kind = kSet,
            .points = kPoints,
            .unit = "path",
            .noun = "files opened",
            .hooks = "test",
            .member = &kTestPath},
    Feature{.name = "test.address",
            .kind = kSet,
            .points = kPoints,
            .unit = "address",
            .noun = "connections",
            .hooks = "test",
            .member = &kTestAddress},
    Feature{.name = "test.pair",
            .kind = kSet,
            .points = kPoints,
            .unit = "pair",
            .noun = "pairs",
            .hooks = "test",
            .member = &kTestPair},
};

std::span<const Feature> TestFeatures() { return kFeatures; }

constexpr Domain kDomains[] = {
    {SourceId::kKvm, "kvm", KvmFeatures},
    {SourceId::kVfio, "vfio", VfioFeatures},
    {SourceId::kVhost, "vhost", VhostFeatures},
    {SourceId::kResource, "resource", ResourceFeatures},
    {SourceId::kVmm, "vmm", VmmFeatures},
    {SourceId::kEntitlement, "entitlement", EntitlementFeatures},
    {kTestSource, "test", TestFeatures},
};

}  // namespace

std::span<const Domain> Domains() { return kDomains; }

}  // namespace kvmsentry
