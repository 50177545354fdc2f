// The layouts that the BPF compiler gave the shared structs, from the BTF of the objects that are
// built in, against those of the C++ compiler.
#include <cstddef>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <gtest/gtest.h>

#include "bpf/records.h"
#include "sensor/probe/hooks.h"
#include "sensor/probe/objects.h"

namespace kvmsentry {
namespace {

struct Member {
  const char* name;
  size_t offset;
  size_t size;
};

struct Layout {
  const char* name;
  size_t size;
  std::vector<Member> members;
};

#define MEMBER(type, member) \
  Member { #member, offsetof(type, member), sizeof(type::member) }

const std::vector<Layout>& MapLayouts() {
  static const auto* const kLayouts = new std::vector<Layout>{
      {"ks_meter_row",
       sizeof(ks_meter_row),
       {MEMBER(ks_meter_row, count), MEMBER(ks_meter_row, checkpoint), MEMBER(ks_meter_row, last),
        MEMBER(ks_meter_row, marked), MEMBER(ks_meter_row, folded), MEMBER(ks_meter_row, folded_ns),
        MEMBER(ks_meter_row, padding)}},
      {"ks_vcpu_row",
       sizeof(ks_vcpu_row),
       {MEMBER(ks_vcpu_row, vcpu), MEMBER(ks_vcpu_row, vm_serial), MEMBER(ks_vcpu_row, vm_slot),
        MEMBER(ks_vcpu_row, vcpu_index), MEMBER(ks_vcpu_row, first_ns), MEMBER(ks_vcpu_row, origin),
        MEMBER(ks_vcpu_row, takes), MEMBER(ks_vcpu_row, exit_reasons_seen),
        MEMBER(ks_vcpu_row, slot), MEMBER(ks_vcpu_row, timing),
        MEMBER(ks_vcpu_row, hypercalls_seen), MEMBER(ks_vcpu_row, address),
        MEMBER(ks_vcpu_row, padding), MEMBER(ks_vcpu_row, meters)}},
      {"ks_exit_row",
       sizeof(ks_exit_row),
       {MEMBER(ks_exit_row, reasons), MEMBER(ks_exit_row, times), MEMBER(ks_exit_row, seen),
        MEMBER(ks_exit_row, exit_ns), MEMBER(ks_exit_row, rip), MEMBER(ks_exit_row, cr3),
        MEMBER(ks_exit_row, cpl), MEMBER(ks_exit_row, known), MEMBER(ks_exit_row, reason),
        MEMBER(ks_exit_row, isa), MEMBER(ks_exit_row, lstar), MEMBER(ks_exit_row, padding)}},
      {"ks_vm_row",
       sizeof(ks_vm_row),
       {MEMBER(ks_vm_row, kvm), MEMBER(ks_vm_row, serial), MEMBER(ks_vm_row, first_ns),
        MEMBER(ks_vm_row, creator_pid), MEMBER(ks_vm_row, state), MEMBER(ks_vm_row, born_seen),
        MEMBER(ks_vm_row, vcpus), MEMBER(ks_vm_row, incomplete), MEMBER(ks_vm_row, queues),
        MEMBER(ks_vm_row, mm), MEMBER(ks_vm_row, padding), MEMBER(ks_vm_row, meters),
        MEMBER(ks_vm_row, retired), MEMBER(ks_vm_row, padding2)}},
      {"ks_queue_row",
       sizeof(ks_queue_row),
       {MEMBER(ks_queue_row, queue),
        MEMBER(ks_queue_row, device),
        MEMBER(ks_queue_row, mm),
        MEMBER(ks_queue_row, vm_serial),
        MEMBER(ks_queue_row, vm_slot),
        MEMBER(ks_queue_row, index),
        MEMBER(ks_queue_row, kind),
        MEMBER(ks_queue_row, regions),
        MEMBER(ks_queue_row, slot),
        MEMBER(ks_queue_row, first_ns),
        MEMBER(ks_queue_row, configured_ns),
        MEMBER(ks_queue_row, desc),
        MEMBER(ks_queue_row, avail),
        MEMBER(ks_queue_row, used),
        MEMBER(ks_queue_row, log_base),
        MEMBER(ks_queue_row, log_addr),
        MEMBER(ks_queue_row, features),
        MEMBER(ks_queue_row, num),
        MEMBER(ks_queue_row, log_used),
        MEMBER(ks_queue_row, cid),
        MEMBER(ks_queue_row, going),
        MEMBER(ks_queue_row, address),
        MEMBER(ks_queue_row, padding),
        MEMBER(ks_queue_row, meters)}},
      {"ks_mark", sizeof(ks_mark), {MEMBER(ks_mark, epoch), MEMBER(ks_mark, counted)}},
      {"ks_limit_row",
       sizeof(ks_limit_row),
       {MEMBER(ks_limit_row, max), MEMBER(ks_limit_row, window_ns), MEMBER(ks_limit_row, counted),
        MEMBER(ks_limit_row, reported_ns), MEMBER(ks_limit_row, untold),
        MEMBER(ks_limit_row, untold_ns), MEMBER(ks_limit_row, untold_last),
        MEMBER(ks_limit_row, marks)}},
      {"ks_vm_limits", sizeof(ks_vm_limits), {MEMBER(ks_vm_limits, rows)}},
      {"ks_vm_sets",
       sizeof(ks_vm_sets),
       {MEMBER(ks_vm_sets, changed), MEMBER(ks_vm_sets, mmio_overflow),
        MEMBER(ks_vm_sets, msr_overflow), MEMBER(ks_vm_sets, padding), MEMBER(ks_vm_sets, ports),
        MEMBER(ks_vm_sets, msrs_written), MEMBER(ks_vm_sets, ioctls),
        MEMBER(ks_vm_sets, mmio_pages), MEMBER(ks_vm_sets, other_msrs)}},
      {"ks_losses",
       sizeof(ks_losses),
       {MEMBER(ks_losses, ring_full), MEMBER(ks_losses, no_vm_slot),
        MEMBER(ks_losses, no_vcpu_slot), MEMBER(ks_losses, table_update),
        MEMBER(ks_losses, row_lookup), MEMBER(ks_losses, unattributed),
        MEMBER(ks_losses, over_budget), MEMBER(ks_losses, no_queue_slot),
        MEMBER(ks_losses, queue_unattributed), MEMBER(ks_losses, queue_without_vm),
        MEMBER(ks_losses, vfio_unattributed), MEMBER(ks_losses, vfio_without_vm),
        MEMBER(ks_losses, irq_unattributed), MEMBER(ks_losses, missed_return)}},
      {"ks_state",
       sizeof(ks_state),
       {MEMBER(ks_state, layout_version), MEMBER(ks_state, padding), MEMBER(ks_state, next_serial),
        MEMBER(ks_state, heartbeat_ns), MEMBER(ks_state, births_window),
        MEMBER(ks_state, births_sent)}},
  };
  return *kLayouts;
}

const std::vector<Layout>& RecordLayouts() {
  static const auto* const kLayouts = new std::vector<Layout>{
      {"ks_record",
       sizeof(ks_record),
       {MEMBER(ks_record, version), MEMBER(ks_record, kind), MEMBER(ks_record, size),
        MEMBER(ks_record, time_ns), MEMBER(ks_record, vm_serial)}},
      {"ks_vm_born",
       sizeof(ks_vm_born),
       {MEMBER(ks_vm_born, header), MEMBER(ks_vm_born, vm_slot), MEMBER(ks_vm_born, padding)}},
      {"ks_limit_crossed",
       sizeof(ks_limit_crossed),
       {MEMBER(ks_limit_crossed, header), MEMBER(ks_limit_crossed, meter),
        MEMBER(ks_limit_crossed, vcpu_index), MEMBER(ks_limit_crossed, counted),
        MEMBER(ks_limit_crossed, max), MEMBER(ks_limit_crossed, window_ns),
        MEMBER(ks_limit_crossed, last)}},
      {"ks_open_file",
       sizeof(ks_open_file),
       {MEMBER(ks_open_file, kvm), MEMBER(ks_open_file, vcpu), MEMBER(ks_open_file, tgid),
        MEMBER(ks_open_file, fd), MEMBER(ks_open_file, creator_pid), MEMBER(ks_open_file, kind)}},
      {"ks_open_device",
       sizeof(ks_open_device),
       {MEMBER(ks_open_device, object), MEMBER(ks_open_device, inode), MEMBER(ks_open_device, size),
        MEMBER(ks_open_device, fs_magic), MEMBER(ks_open_device, fs_device),
        MEMBER(ks_open_device, device), MEMBER(ks_open_device, tgid), MEMBER(ks_open_device, fd),
        MEMBER(ks_open_device, kind), MEMBER(ks_open_device, flags), MEMBER(ks_open_device, tap)}},
  };
  return *kLayouts;
}

using ObjectPtr = std::unique_ptr<bpf_object, decltype(&bpf_object__close)>;

// Opened only, which takes no privilege.
ObjectPtr Open(absl::string_view name) {
  const std::span<const char> bytes = ObjectBytes(name);
  ObjectPtr object(bpf_object__open_mem(bytes.data(), bytes.size(), nullptr), bpf_object__close);
  EXPECT_NE(object, nullptr) << name;
  return object;
}

std::set<std::string> ObjectNames() {
  std::set<std::string> names;
  for (const Hook& hook : Hooks()) names.emplace(hook.object);
  return names;
}

// Compares LAYOUT with what TYPES say of it; false where they do not know it.
bool Compare(const btf* types, const Layout& layout) {
  const int id = btf__find_by_name_kind(types, layout.name, BTF_KIND_STRUCT);
  if (id < 0) return false;
  const btf_type* type = btf__type_by_id(types, static_cast<uint32_t>(id));
  EXPECT_EQ(type->size, layout.size);
  EXPECT_EQ(btf_vlen(type), layout.members.size()) << "a member is missing in this test's table";
  const btf_member* members = btf_members(type);
  for (size_t i = 0; i < btf_vlen(type) && i < layout.members.size(); ++i) {
    const Member& expected = layout.members[i];
    EXPECT_STREQ(btf__name_by_offset(types, members[i].name_off), expected.name);
    EXPECT_EQ(btf_member_bit_offset(type, static_cast<uint32_t>(i)), expected.offset * 8)
        << expected.name;
    EXPECT_EQ(btf__resolve_size(types, members[i].type), static_cast<int64_t>(expected.size))
        << expected.name;
  }
  return true;
}

TEST(LayoutTest, MapsAreLaidOutAlikeInEveryObject) {
  ASSERT_FALSE(ObjectNames().empty());
  for (const std::string& name : ObjectNames()) {
    SCOPED_TRACE(name);
    const ObjectPtr object = Open(name);
    for (const Layout& layout : MapLayouts()) {
      SCOPED_TRACE(layout.name);
      EXPECT_TRUE(Compare(bpf_object__btf(object.get()), layout)) << "not described";
    }
  }
}

TEST(LayoutTest, RecordsAreLaidOutAlikeInEveryObjectThatWritesThem) {
  for (const Layout& layout : RecordLayouts()) {
    SCOPED_TRACE(layout.name);
    int writers = 0;
    for (const std::string& name : ObjectNames()) {
      const ObjectPtr object = Open(name);
      writers += Compare(bpf_object__btf(object.get()), layout) ? 1 : 0;
    }
    EXPECT_GT(writers, 0) << "not described anywhere";
  }
}

TEST(LayoutTest, EveryMapIsPinnedAndItsValueIsAsWideAsTheRowsThatAreRead) {
  const struct {
    const char* map;
    size_t value;
  } maps[] = {{"state", sizeof(ks_state)},      {"losses", sizeof(ks_losses)},
              {"vms", sizeof(ks_vm_row)},       {"vcpus", sizeof(ks_vcpu_row)},
              {"queues", sizeof(ks_queue_row)}, {"vm_limits", sizeof(ks_vm_limits)},
              {"vm_sets", sizeof(ks_vm_sets)}};
  for (const std::string& name : ObjectNames()) {
    const ObjectPtr object = Open(name);
    for (const auto& expected : maps) {
      const bpf_map* map = bpf_object__find_map_by_name(object.get(), expected.map);
      ASSERT_NE(map, nullptr) << name << ": " << expected.map;
      EXPECT_EQ(bpf_map__value_size(map), expected.value) << expected.map;
      EXPECT_NE(bpf_map__btf_value_type_id(map), 0U) << expected.map << ": no field names";
      EXPECT_NE(bpf_map__pin_path(map), nullptr) << expected.map;
    }
  }
}

}  // namespace
}  // namespace kvmsentry
