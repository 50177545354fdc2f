#include "sensor/spec/selection.h"

#include "gtest/gtest.h"

namespace kvmsentry {
namespace {

using Verdict = Selection::Verdict;

VmFacts FactsOf(const std::string& name, const std::string& vmm = "qemu") {
  VmFacts facts;
  facts.name = facts.given_name = name;
  facts.vmm = vmm;
  facts.cgroup = "/machine.slice";
  return facts;
}

Selector VmSelector(const std::string& vm, const std::string& vmm = "") {
  Selector selector;
  if (!vm.empty()) selector.vm = {vm};
  if (!vmm.empty()) selector.vmm = {vmm};
  return selector;
}

TEST(SelectionTest, SaysByWhatAVmIsSelected) {
  EXPECT_EQ(SelectionOf({}, {}, FactsOf("web-1")).reason, "it selects every VM");
  const Selection selected = SelectionOf(VmSelector("web-*", "qemu"), {}, FactsOf("web-1"));
  EXPECT_EQ(selected.verdict, Verdict::kSelected);
  EXPECT_EQ(selected.reason,
            "its name \"web-1\" matches vm \"web-*\", its VMM \"qemu\" matches vmm \"qemu\"");
}

TEST(SelectionTest, SaysWhatDoesNotMatch) {
  const Selection other = SelectionOf(VmSelector("web-*", "qemu"), {}, FactsOf("web-1", "crosvm"));
  EXPECT_EQ(other.verdict, Verdict::kNotSelected);
  EXPECT_EQ(other.reason, "its VMM \"crosvm\" matches no pattern of vmm");
}

TEST(SelectionTest, SaysWhichExceptionItIs) {
  const Selection excepted =
      SelectionOf({}, {VmSelector("db-*"), VmSelector("ci-*")}, FactsOf("ci-7"));
  EXPECT_EQ(excepted.verdict, Verdict::kExcepted);
  EXPECT_EQ(excepted.except, 1U);
  EXPECT_EQ(excepted.reason, "its name \"ci-7\" matches vm \"ci-*\"");
}

TEST(SelectionTest, AnExceptionOfPartsLeavesTheVmSelected) {
  Selector part = VmSelector("ci-*");
  part.part = {"vcpu-0"};
  const Selection selected = SelectionOf({}, {part}, FactsOf("ci-7"));
  EXPECT_EQ(selected.verdict, Verdict::kSelected);
  EXPECT_EQ(selected.reason, "it selects every VM; not of parts that an exception names");
}

// What is said is what the engine does.
TEST(SelectionTest, AgreesWithTheSpec) {
  for (const char* name : {"web-1", "db-1", "ci-1", ""}) {
    Spec spec;
    spec.select = VmSelector("[wc]*");
    spec.except = {VmSelector("ci-*"), VmSelector("", "crosvm")};
    for (const char* vmm : {"qemu", "crosvm"}) {
      const VmFacts facts = FactsOf(name, vmm);
      EXPECT_EQ(SelectionOf(spec.select, spec.except, facts).verdict == Verdict::kSelected,
                spec.Selects(facts))
          << name << " " << vmm;
    }
  }
}

}  // namespace
}  // namespace kvmsentry
