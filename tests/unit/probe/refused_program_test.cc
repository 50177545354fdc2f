// Which program libbpf blames, by what version 1.1 writes (tools/lib/bpf/libbpf.c).
#include <array>
#include <string>

#include <gtest/gtest.h>

#include "sensor/probe/bpf_object.h"

namespace kvmsentry {
namespace {

const std::array<std::string, 2> kPrograms = {"kvm_exit_tp_btf", "kvm_entry_tp_btf"};

TEST(RefusedProgramTest, IsTheOneOfTheVerifiersLog) {
  EXPECT_EQ(RefusedProgram("libbpf: prog 'kvm_entry_tp_btf': BPF program load failed: Permission "
                           "denied\n"
                           "libbpf: prog 'kvm_entry_tp_btf': -- BEGIN PROG LOAD LOG --\n"
                           "R1 invalid mem access 'scalar'\n"
                           "libbpf: prog 'kvm_entry_tp_btf': failed to load: -13\n"
                           "libbpf: failed to load object 'kvm'\n",
                           kPrograms),
            "kvm_entry_tp_btf");
}

TEST(RefusedProgramTest, IsTheOneWhoseTargetIsNotThere) {
  EXPECT_EQ(
      RefusedProgram("libbpf: prog 'kvm_exit_tp_btf': failed to find kernel BTF type ID of "
                     "'kvm_exit': -3\n"
                     "libbpf: prog 'kvm_exit_tp_btf': failed to prepare load attributes: -3\n",
                     kPrograms),
      "kvm_exit_tp_btf");
}

TEST(RefusedProgramTest, IsNoneWhereMapsOrSubprogramsFail) {
  EXPECT_EQ(RefusedProgram("libbpf: map 'vms': failed to create: Cannot allocate memory(-12)\n",
                           kPrograms),
            "");
  EXPECT_EQ(
      RefusedProgram("libbpf: prog 'find_vcpu': relo #3: substituting insn failed\n", kPrograms),
      "");
  EXPECT_EQ(RefusedProgram("", kPrograms), "");
  EXPECT_EQ(RefusedProgram("libbpf: prog 'kvm_exit_tp_btf", kPrograms), "kvm_exit_tp_btf");
}

}  // namespace
}  // namespace kvmsentry
