// What the programs read of Intel's structs, against the types of the kernel's own module
// kvm-intel. No processor with VMX is at hand: that names, places and sizes are right is all that
// is proven.
#include <algorithm>
#include <map>
#include <string>

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <gtest/gtest.h>
#include <sys/utsname.h>

#include "absl/strings/str_cat.h"

#include "bpf/kvm/records.h"
#include "sensor/probe/map_plan.h"
#include "sensor/source/kvm/bpf.h"

namespace kvmsentry {
namespace {

using BtfPtr = std::unique_ptr<btf, decltype(&btf__free)>;

const btf_type* Resolve(const btf& types, __u32 id) {
  const int resolved = btf__resolve_type(&types, id);
  return resolved < 0 ? nullptr : btf__type_by_id(&types, static_cast<__u32>(resolved));
}

std::string NameOf(const btf& types, __u32 offset) {
  const char* name = btf__name_by_offset(&types, offset);
  return name == nullptr ? "" : name;
}

// The member NAME of TYPE, also of unnamed structs within it; nullptr without.
const btf_member* FindMember(const btf& types, const btf_type& type, const std::string& name) {
  for (int i = 0; i < btf_vlen(&type); ++i) {
    const btf_member& member = btf_members(&type)[i];
    const std::string its_name = NameOf(types, member.name_off);
    if (its_name == name) return &member;
    const btf_type* inner = Resolve(types, member.type);
    if (!its_name.empty() || inner == nullptr || !btf_is_composite(inner)) continue;
    if (const btf_member* found = FindMember(types, *inner, name)) return found;
  }
  return nullptr;
}

class VmxTypesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    vmlinux_.reset(btf__load_vmlinux_btf());
    ASSERT_NE(vmlinux_, nullptr);
    utsname host{};
    ASSERT_EQ(uname(&host), 0);
    const std::string path =
        absl::StrCat("/lib/modules/", host.release, "/kernel/arch/x86/kvm/kvm-intel.ko");
    intel_.reset(btf__parse_split(path.c_str(), vmlinux_.get()));
    ASSERT_NE(intel_, nullptr) << path << ": no module with types; these tests need the lab";
    const std::span<const char> bytes = BytesOf(KvmBpf().programs);
    object_.reset(bpf_object__open_mem(bytes.data(), bytes.size(), nullptr));
    ASSERT_NE(object_, nullptr);
  }

  const btf& ours() const { return *bpf_object__btf(object_.get()); }

  // Whatever we declare of a type is there, and alike.
  void ExpectHolds(const std::string& path, const btf_type& our, const btf_type& its) {
    ASSERT_EQ(btf_kind(&our), btf_kind(&its)) << path;
    if (!btf_is_composite(&our)) {
      EXPECT_EQ(our.size, its.size) << path;
      return;
    }
    for (int i = 0; i < btf_vlen(&our); ++i) {
      const btf_member& member = btf_members(&our)[i];
      const std::string name = NameOf(ours(), member.name_off);
      const std::string member_path = absl::StrCat(path, ".", name);
      const btf_member* found = FindMember(*intel_, its, name);
      // The programs ask first whether it is the newer way.
      const auto moved = kMoved.find(name);
      if (moved != kMoved.end() && FindMember(*intel_, its, moved->second) != nullptr) continue;
      ASSERT_NE(found, nullptr) << member_path;
      ExpectSameKind(member_path, *Resolve(ours(), member.type), *Resolve(*intel_, found->type));
    }
  }

  void ExpectSameKind(const std::string& path, const btf_type& our, const btf_type& its) {
    ASSERT_EQ(btf_kind(&our), btf_kind(&its)) << path;
    if (btf_is_ptr(&our)) return;
    if (!btf_is_array(&our)) return ExpectHolds(path, our, its);
    EXPECT_LE(btf_array(&our)->nelems, btf_array(&its)->nelems) << path;
    ExpectHolds(path + "[]", *Resolve(ours(), btf_array(&our)->type),
                *Resolve(*intel_, btf_array(&its)->type));
  }

  // Of the one of NAMES that this kernel has.
  int ValueOf(std::initializer_list<std::string> names) {
    for (__u32 id = 1; id < btf__type_cnt(intel_.get()); ++id) {
      const btf_type* type = btf__type_by_id(intel_.get(), id);
      if (!btf_is_enum(type)) continue;
      for (int i = 0; i < btf_vlen(type); ++i) {
        const std::string name = NameOf(*intel_, btf_enum(type)[i].name_off);
        if (std::ranges::find(names, name) != names.end()) return btf_enum(type)[i].val;
      }
    }
    ADD_FAILURE() << "no " << *names.begin();
    return -1;
  }

  // What newer kernels have otherwise, and a member that only they have.
  const std::map<std::string, std::string> kMoved = {{"regs_avail", "rip"}, {"exit_reason", "vt"}};
  BtfPtr vmlinux_{nullptr, &btf__free};
  BtfPtr intel_{nullptr, &btf__free};
  std::unique_ptr<bpf_object, decltype(&bpf_object__close)> object_{nullptr, &bpf_object__close};
};

TEST_F(VmxTypesTest, EveryFieldThatIsReadIsThere) {
  const int our = btf__find_by_name_kind(&ours(), "vcpu_vmx", BTF_KIND_STRUCT);
  const int its = btf__find_by_name_kind(intel_.get(), "vcpu_vmx", BTF_KIND_STRUCT);
  ASSERT_GT(our, 0);
  ASSERT_GT(its, 0);
  const btf_type& type = *btf__type_by_id(intel_.get(), static_cast<__u32>(its));
  ExpectHolds("vcpu_vmx", *btf__type_by_id(&ours(), static_cast<__u32>(our)), type);
  // A pointer to the one is a pointer to the other.
  EXPECT_EQ(NameOf(*intel_, btf_members(&type)[0].name_off), "vcpu");
  EXPECT_EQ(btf_member_bit_offset(&type, 0), 0U);
}

TEST_F(VmxTypesTest, NumbersThatNoStructHoldsAreTheKernels) {
  EXPECT_EQ(ValueOf({"VCPU_REGS_RIP", "VCPU_REG_RIP"}), 16);
  EXPECT_GT(ValueOf({"VCPU_EXREG_CR3", "VCPU_REG_CR3"}), 16);
  EXPECT_GT(ValueOf({"VCPU_EXREG_SEGMENTS", "VCPU_REG_SEGMENTS"}), 16);
  EXPECT_EQ(ValueOf({"VCPU_SREG_SS"}), 2);
  EXPECT_EQ(ValueOf({"SEG_FIELD_AR"}), 3);
  EXPECT_EQ(ValueOf({"SEG_FIELD_NR"}), 4);
}

}  // namespace
}  // namespace kvmsentry
