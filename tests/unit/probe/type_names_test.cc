#include "sensor/probe/type_names.h"

#include <memory>

#include <bpf/btf.h>
#include <gtest/gtest.h>

namespace kvmsentry {
namespace {

using BtfPtr = std::unique_ptr<btf, decltype(&btf__free)>;

int AddFunction(btf& types, const char* name) {
  const int prototype = btf__add_func_proto(&types, 0);
  return btf__add_func(&types, name, BTF_FUNC_STATIC, prototype);
}

TEST(TypeNamesTest, ANameIsKnownByItsKind) {
  const BtfPtr types(btf__new_empty(), btf__free);
  const int one = btf__add_struct(types.get(), "kvm", 8);
  ASSERT_GT(one, 0);
  ASSERT_GT(btf__add_typedef(types.get(), "btf_trace_kvm_pio", one), 0);
  ASSERT_GT(AddFunction(*types, "kvm_set_irq"), 0);
  TypeNames names;
  names.Add(*types);
  EXPECT_TRUE(names.Has("kvm", BTF_KIND_STRUCT));
  EXPECT_TRUE(names.Has("btf_trace_kvm_pio", BTF_KIND_TYPEDEF));
  EXPECT_TRUE(names.Has("kvm_set_irq", BTF_KIND_FUNC));
  EXPECT_FALSE(names.Has("kvm", BTF_KIND_FUNC));
  EXPECT_FALSE(names.Has("kvm_set", BTF_KIND_FUNC));
}

// A module's types follow those of vmlinux, which are no names of its own.
TEST(TypeNamesTest, OfAModuleItsOwn) {
  const BtfPtr vmlinux(btf__new_empty(), btf__free);
  ASSERT_GT(AddFunction(*vmlinux, "vfs_read"), 0);
  const BtfPtr module(btf__new_empty_split(vmlinux.get()), btf__free);
  ASSERT_GT(AddFunction(*module, "handle_tx"), 0);
  TypeNames names;
  names.Add(*module, btf__type_cnt(vmlinux.get()));
  EXPECT_TRUE(names.Has("handle_tx", BTF_KIND_FUNC));
  EXPECT_FALSE(names.Has("vfs_read", BTF_KIND_FUNC));
}

}  // namespace
}  // namespace kvmsentry
