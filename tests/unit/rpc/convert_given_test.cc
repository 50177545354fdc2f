#include "sensor/rpc/convert_given.h"

#include <memory>

#include <gtest/gtest.h>

namespace kvmsentry {
namespace {

const v1::GivenFact& FactOf(const v1::Given& given, const std::string& kind,
                            const std::string& name) {
  static const v1::GivenFact kNone;
  for (const v1::GivenPart& part : given.parts()) {
    if (part.kind() != kind) continue;
    for (const v1::GivenFact& fact : part.facts()) {
      if (fact.name() == name) return fact;
    }
  }
  ADD_FAILURE() << "no " << name << " of " << kind;
  return kNone;
}

v1::Given Convert(const VmView& vm) {
  v1::VmStatus status;
  AddGiven(vm, &status);
  return status.given();
}

TEST(ConvertGiven, FactsOfEachTypeWithTheirOrigins) {
  auto record = std::make_shared<GivenRecord>();
  given::Disk& disk = record->given.disks.emplace_back();
  disk.id = "vda";
  disk.path = {"/a", FactOrigin::kArgv};
  disk.size = {7, FactOrigin::kOpenFile};
  disk.read_only = {true, FactOrigin::kLibvirt};
  disk.backing = {{"/b", "/c"}, FactOrigin::kLibvirt};
  record->given.gaps = {"a gap"};
  VmView vm;
  vm.given = record;
  const v1::Given given = Convert(vm);
  EXPECT_EQ(FactOf(given, "disk", "path").ShortDebugString(),
            R"(name: "path" text: "/a" origin: COMMAND_LINE)");
  EXPECT_EQ(FactOf(given, "disk", "size").ShortDebugString(),
            R"(name: "size" number: 7 origin: OPEN_FILE bytes: true)");
  EXPECT_EQ(FactOf(given, "disk", "read-only").ShortDebugString(),
            R"(name: "read-only" flag: true origin: LIBVIRT)");
  EXPECT_EQ(FactOf(given, "disk", "backing").ShortDebugString(),
            R"(name: "backing" list { texts: "/b" texts: "/c" } origin: LIBVIRT)");
  EXPECT_EQ(FactOf(given, "disk", "format").ShortDebugString(), R"(name: "format")");
  EXPECT_EQ(given.gaps(0), "a gap");
  EXPECT_FALSE(given.has_changed_at());
}

TEST(ConvertGiven, WhatKvmSaysNowIsPutIn) {
  auto record = std::make_shared<GivenRecord>();
  record->changed_at = KernelTime{5};
  record->changes = {"disk vda was added"};
  VmView vm;
  vm.given = record;
  vm.given_changed_at = absl::FromUnixSeconds(90);
  vm.vcpus = 3;
  vm.mapped = 4096;
  const v1::Given given = Convert(vm);
  EXPECT_EQ(FactOf(given, "memory", "mapped").ShortDebugString(),
            R"(name: "mapped" number: 4096 origin: MEMORY_SLOTS bytes: true)");
  EXPECT_EQ(FactOf(given, "cpus", "created").ShortDebugString(),
            R"(name: "created" number: 3 origin: VCPUS)");
  EXPECT_EQ(given.changed_at().seconds(), 90);
  EXPECT_EQ(given.changes(0), "disk vda was added");
}

TEST(ConvertGiven, NothingWhereItWasNotRead) {
  v1::VmStatus status;
  AddGiven(VmView(), &status);
  EXPECT_FALSE(status.has_given());
}

}  // namespace
}  // namespace kvmsentry
