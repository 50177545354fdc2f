// Every program of every hook loads and attaches on the running kernel.
#include <algorithm>

#include <gmock/gmock.h>
#include <unistd.h>

#include "sensor/probe/kernel.h"
#include "sensor/source/catalogue.h"
#include "sensor/source/kvm/bpf.h"
#include "tests/bpf/fixture.h"
#include "tests/support/host.h"

namespace kvmsentry {
namespace {

struct Way {
  const Hook* hook;
  Variant variant;
};

std::vector<Way> AllWays() {
  std::vector<Way> ways;
  for (const Hook& hook : Hooks()) {
    for (const Variant variant : hook.variants) {
      if (variant != Variant::kFile) ways.push_back({&hook, variant});  // nothing is attached to it
    }
  }
  return ways;
}

const HookCoverage& CoverageOf(const Probe& probe, const Hook* hook) {
  for (const HookCoverage& coverage : probe.coverage()) {
    if (coverage.hook == hook) return coverage;
  }
  ADD_FAILURE() << "no coverage of " << hook->name;
  return probe.coverage().front();
}

bool IsOfKvm(const Hook& hook) {
  return std::ranges::any_of(KvmBpf().hooks,
                             [&](const Hook& of_kvm) { return of_kvm.name == hook.name; });
}

class AttachTest : public BpfTest, public ::testing::WithParamInterface<Way> {};

TEST_P(AttachTest, AttachesAloneByThisVariant) {
  std::map<std::string, std::vector<Variant>> variants;
  for (const Hook& hook : Hooks()) variants[std::string(hook.name)] = {};
  variants[std::string(GetParam().hook->name)] = {GetParam().variant};
  options_.variants = variants;
  ASSERT_OK_AND_ASSIGN(sources_, Sources::Open(options_));
  const absl::Status offered = Offers(*GetParam().hook, GetParam().variant);
  // Only trying tells whether the kernel takes a function of seven arguments (Linux 6.6).
  // Nor whether one that has no kprobes takes programs of any function.
  const bool has_kprobes = access("/sys/bus/event_source/devices/kprobe/type", F_OK) == 0;
  const bool may_be_refused =
      (GetParam().hook->name == "vhost_get_vq_desc" && GetParam().variant == Variant::kFexit) ||
      (GetParam().variant == Variant::kFentry && !has_kprobes);
  for (const HookCoverage& coverage : probe().coverage()) {
    if (coverage.hook == GetParam().hook && !offered.ok()) {
      EXPECT_EQ(coverage.coverage, Coverage::kUnobservable);
      EXPECT_THAT(coverage.reason, ::testing::HasSubstr(std::string(offered.message())));
      EXPECT_NE(coverage.lack, Lack::kNone);
    } else if (coverage.hook == GetParam().hook && may_be_refused &&
               coverage.coverage == Coverage::kUnobservable) {
      EXPECT_THAT(coverage.reason, ::testing::AnyOf(::testing::HasSubstr("not supported"),
                                                    ::testing::HasSubstr("not permitted")));
    } else if (coverage.hook == GetParam().hook && IsStray(coverage)) {
      EXPECT_EQ(coverage.coverage, Coverage::kUnobservable);
      EXPECT_GT(coverage.hook->variants.size(), 1U) << "nothing to fall back on";
    } else if (coverage.hook == GetParam().hook) {
      const bool weak = IsWeak(*coverage.hook, GetParam().variant);
      EXPECT_EQ(coverage.coverage, weak ? Coverage::kDegraded : Coverage::kAttached)
          << coverage.reason;
      EXPECT_EQ(coverage.variant, VariantName(GetParam().variant));
      EXPECT_EQ(coverage.reason, weak ? coverage.hook->weakness : "");
    } else {
      EXPECT_EQ(coverage.coverage, Coverage::kUnobservable) << coverage.hook->name;
      EXPECT_EQ(coverage.reason, "switched off by --without-hook");
      EXPECT_EQ(coverage.lack, Lack::kSwitchedOff);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(EveryWay, AttachTest, ::testing::ValuesIn(AllWays()),
                         [](const auto& test) {
                           return absl::StrCat(test.param.hook->name, "_",
                                               VariantName(test.param.variant));
                         });

// But where tasks are preempted amid the cheapest: there it is one during which they are not.
TEST_F(BpfTest, TheCheapestVariantIsTaken) {
  ASSERT_OK_AND_ASSIGN(const Kernel kernel, Kernel::Inspect(HookPointers()));
  EXPECT_EQ(kernel.preempts_programs(), KernelPreemptsPrograms());
  Load();
  for (const Hook& hook : Hooks()) {
    if (!IsLoaded(hook)) continue;
    const auto offered = [&](Variant variant) { return kernel.Offers(hook, variant).ok(); };
    auto first = std::ranges::find_if(hook.variants, offered);
    ASSERT_NE(first, hook.variants.end()) << hook.name;
    if (kernel.preempts_programs() && IsOfKvm(hook)) {
      const auto unpreempted = std::ranges::find_if(hook.variants, [&](Variant variant) {
        const bool is = variant == Variant::kTp || variant == Variant::kKprobe ||
                        variant == Variant::kKretprobe;
        return is && offered(variant);
      });
      if (unpreempted != hook.variants.end()) first = unpreempted;
    }
    EXPECT_EQ(CoverageOf(probe(), &hook).variant, VariantName(*first)) << hook.name;
  }
}

// An iterator's program is no program of a tracepoint: what cannot work is passed over, and said.
TEST_F(BpfTest, AVariantThatFailsGivesWayToTheNextAndTheRestIsUntouched) {
  Load({{"kvm_pio", {Variant::kIterator, Variant::kRawTp}}});
  for (const HookCoverage& coverage : probe().coverage()) {
    if (!IsLoaded(*coverage.hook)) continue;
    EXPECT_EQ(coverage.coverage, Coverage::kAttached) << coverage.hook->name;
    if (coverage.hook->name != "kvm_pio") continue;
    EXPECT_EQ(coverage.variant, "raw_tp");
  }
}

TEST_F(BpfTest, WhatNoKernelCountsIsUnobservableAndSaysWhatThereIsInstead) {
  std::map<std::string, std::vector<Variant>> variants;
  for (const Hook& hook : Hooks()) variants[std::string(hook.name)] = {};
  variants["blk_throttle"] = {Variant::kFile};
  options_.variants = variants;
  ASSERT_OK_AND_ASSIGN(sources_, Sources::Open(options_));
  const auto hook = std::ranges::find(HookPointers(), "blk_throttle", &Hook::name);
  ASSERT_NE(hook, HookPointers().end());
  const HookCoverage& coverage = CoverageOf(probe(), *hook);
  EXPECT_EQ(coverage.coverage, Coverage::kUnobservable);
  EXPECT_EQ(coverage.lack, Lack::kNotApplicable);
  EXPECT_THAT(coverage.reason, ::testing::HasSubstr("pressure.io.*"));
}

}  // namespace
}  // namespace kvmsentry
