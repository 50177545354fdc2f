// The layouts that the BPF compiler gave the shared structs, from the BTF of the objects that are
// built in, against those of the C++ compiler.
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <gtest/gtest.h>

#include "bpf/kvm/records.h"
#include "bpf/resource/records.h"
#include "bpf/vfio/records.h"
#include "bpf/vhost/records.h"
#include "bpf/vmm/records.h"
#include "sensor/source/registry.h"

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

// In every object.
const std::vector<Layout>& SharedLayouts() {
  static const auto* const kLayouts = new std::vector<Layout>{
      {"ks_state",
       sizeof(ks_state),
       {MEMBER(ks_state, layout_version), MEMBER(ks_state, padding), MEMBER(ks_state, next_serial),
        MEMBER(ks_state, heartbeat_ns), MEMBER(ks_state, births_window),
        MEMBER(ks_state, births_sent), MEMBER(ks_state, owners_made),
        MEMBER(ks_state, source_versions)}},
      {"ks_meter_row",
       sizeof(ks_meter_row),
       {MEMBER(ks_meter_row, count), MEMBER(ks_meter_row, checkpoint), MEMBER(ks_meter_row, last),
        MEMBER(ks_meter_row, marked), MEMBER(ks_meter_row, folded), MEMBER(ks_meter_row, folded_ns),
        MEMBER(ks_meter_row, padding)}},
      {"ks_mark", sizeof(ks_mark), {MEMBER(ks_mark, epoch), MEMBER(ks_mark, counted)}},
      {"ks_limit_row",
       sizeof(ks_limit_row),
       {MEMBER(ks_limit_row, max), MEMBER(ks_limit_row, window_ns), MEMBER(ks_limit_row, counted),
        MEMBER(ks_limit_row, reported_ns), MEMBER(ks_limit_row, untold),
        MEMBER(ks_limit_row, untold_ns), MEMBER(ks_limit_row, untold_last),
        MEMBER(ks_limit_row, padding), MEMBER(ks_limit_row, marks)}},
      {"ks_meter_limits", sizeof(ks_meter_limits), {MEMBER(ks_meter_limits, rows)}},
  };
  return *kLayouts;
}

// In every object of the source.
const std::vector<Layout>& KvmLayouts() {
  static const auto* const kLayouts = new std::vector<Layout>{
      {"ks_vcpu_row",
       sizeof(ks_vcpu_row),
       {MEMBER(ks_vcpu_row, vcpu), MEMBER(ks_vcpu_row, vm_serial), MEMBER(ks_vcpu_row, vm_slot),
        MEMBER(ks_vcpu_row, vcpu_index), MEMBER(ks_vcpu_row, first_ns), MEMBER(ks_vcpu_row, origin),
        MEMBER(ks_vcpu_row, takes), MEMBER(ks_vcpu_row, exit_reasons_seen),
        MEMBER(ks_vcpu_row, slot), MEMBER(ks_vcpu_row, timing),
        MEMBER(ks_vcpu_row, hypercalls_seen), MEMBER(ks_vcpu_row, address),
        MEMBER(ks_vcpu_row, published), MEMBER(ks_vcpu_row, rewritten),
        MEMBER(ks_vcpu_row, padding), MEMBER(ks_vcpu_row, meters)}},
      {"ks_exit_row",
       sizeof(ks_exit_row),
       {MEMBER(ks_exit_row, reasons), MEMBER(ks_exit_row, times), MEMBER(ks_exit_row, seen),
        MEMBER(ks_exit_row, exit_ns), MEMBER(ks_exit_row, rip), MEMBER(ks_exit_row, cr3),
        MEMBER(ks_exit_row, cpl), MEMBER(ks_exit_row, known), MEMBER(ks_exit_row, reason),
        MEMBER(ks_exit_row, isa), MEMBER(ks_exit_row, lstar), MEMBER(ks_exit_row, efer),
        MEMBER(ks_exit_row, cr0), MEMBER(ks_exit_row, padding)}},
      {"ks_vm_row",
       sizeof(ks_vm_row),
       {MEMBER(ks_vm_row, kvm), MEMBER(ks_vm_row, serial), MEMBER(ks_vm_row, first_ns),
        MEMBER(ks_vm_row, creator_pid), MEMBER(ks_vm_row, state), MEMBER(ks_vm_row, born_seen),
        MEMBER(ks_vm_row, vcpus), MEMBER(ks_vm_row, incomplete), MEMBER(ks_vm_row, slot),
        MEMBER(ks_vm_row, mm), MEMBER(ks_vm_row, padding), MEMBER(ks_vm_row, meters),
        MEMBER(ks_vm_row, retired), MEMBER(ks_vm_row, padding2)}},
      {"ks_kvm_limits", sizeof(ks_kvm_limits), {MEMBER(ks_kvm_limits, meters)}},
      {"ks_kvm_sets",
       sizeof(ks_kvm_sets),
       {MEMBER(ks_kvm_sets, changed), MEMBER(ks_kvm_sets, mmio_overflow),
        MEMBER(ks_kvm_sets, msr_overflow), MEMBER(ks_kvm_sets, protection_lost),
        MEMBER(ks_kvm_sets, rewritten), MEMBER(ks_kvm_sets, overrun),
        MEMBER(ks_kvm_sets, floppy_run), MEMBER(ks_kvm_sets, panicked),
        MEMBER(ks_kvm_sets, port_parts), MEMBER(ks_kvm_sets, msr_parts),
        MEMBER(ks_kvm_sets, padding2), MEMBER(ks_kvm_sets, ioctls), MEMBER(ks_kvm_sets, ports),
        MEMBER(ks_kvm_sets, msrs_written), MEMBER(ks_kvm_sets, mmio_pages),
        MEMBER(ks_kvm_sets, other_msrs), MEMBER(ks_kvm_sets, port_accesses),
        MEMBER(ks_kvm_sets, page_accesses)}},
      {"ks_access",
       sizeof(ks_access),
       {MEMBER(ks_access, member), MEMBER(ks_access, size), MEMBER(ks_access, count)}},
      {"ks_kvm_losses",
       sizeof(ks_kvm_losses),
       {MEMBER(ks_kvm_losses, ring_full), MEMBER(ks_kvm_losses, table_update),
        MEMBER(ks_kvm_losses, row_lookup), MEMBER(ks_kvm_losses, missed_return),
        MEMBER(ks_kvm_losses, no_vm_slot), MEMBER(ks_kvm_losses, no_vcpu_slot),
        MEMBER(ks_kvm_losses, unattributed), MEMBER(ks_kvm_losses, over_budget),
        MEMBER(ks_kvm_losses, irq_unattributed)}},
  };
  return *kLayouts;
}

const std::vector<Layout>& VhostLayouts() {
  static const auto* const kLayouts = new std::vector<Layout>{
      {"ks_vm_row",
       sizeof(ks_vm_row),
       {MEMBER(ks_vm_row, kvm), MEMBER(ks_vm_row, serial), MEMBER(ks_vm_row, first_ns),
        MEMBER(ks_vm_row, creator_pid), MEMBER(ks_vm_row, state), MEMBER(ks_vm_row, born_seen),
        MEMBER(ks_vm_row, vcpus), MEMBER(ks_vm_row, incomplete), MEMBER(ks_vm_row, slot),
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
      {"ks_vhost_vm_row",
       sizeof(ks_vhost_vm_row),
       {MEMBER(ks_vhost_vm_row, vm_serial), MEMBER(ks_vhost_vm_row, queues),
        MEMBER(ks_vhost_vm_row, padding), MEMBER(ks_vhost_vm_row, changed),
        MEMBER(ks_vhost_vm_row, ioctls), MEMBER(ks_vhost_vm_row, refused),
        MEMBER(ks_vhost_vm_row, rings_outside), MEMBER(ks_vhost_vm_row, retired),
        MEMBER(ks_vhost_vm_row, padding2)}},
      {"ks_vhost_limits", sizeof(ks_vhost_limits), {MEMBER(ks_vhost_limits, meters)}},
      {"ks_stray_queue",
       sizeof(ks_stray_queue),
       {MEMBER(ks_stray_queue, mm), MEMBER(ks_stray_queue, births),
        MEMBER(ks_stray_queue, outlived)}},
      {"ks_vhost_losses",
       sizeof(ks_vhost_losses),
       {MEMBER(ks_vhost_losses, ring_full), MEMBER(ks_vhost_losses, table_update),
        MEMBER(ks_vhost_losses, row_lookup), MEMBER(ks_vhost_losses, missed_return),
        MEMBER(ks_vhost_losses, no_queue_slot), MEMBER(ks_vhost_losses, queue_unattributed),
        MEMBER(ks_vhost_losses, queue_without_vm)}},
  };
  return *kLayouts;
}

const std::vector<Layout>& VfioLayouts() {
  static const auto* const kLayouts = new std::vector<Layout>{
      {"ks_vm_row",
       sizeof(ks_vm_row),
       {MEMBER(ks_vm_row, kvm), MEMBER(ks_vm_row, serial), MEMBER(ks_vm_row, first_ns),
        MEMBER(ks_vm_row, creator_pid), MEMBER(ks_vm_row, state), MEMBER(ks_vm_row, born_seen),
        MEMBER(ks_vm_row, vcpus), MEMBER(ks_vm_row, incomplete), MEMBER(ks_vm_row, slot),
        MEMBER(ks_vm_row, mm), MEMBER(ks_vm_row, padding), MEMBER(ks_vm_row, meters),
        MEMBER(ks_vm_row, retired), MEMBER(ks_vm_row, padding2)}},
      {"ks_vfio_vm_row",
       sizeof(ks_vfio_vm_row),
       {MEMBER(ks_vfio_vm_row, vm_serial), MEMBER(ks_vfio_vm_row, changed),
        MEMBER(ks_vfio_vm_row, ioctls), MEMBER(ks_vfio_vm_row, padding),
        MEMBER(ks_vfio_vm_row, meters)}},
      {"ks_vfio_limits", sizeof(ks_vfio_limits), {MEMBER(ks_vfio_limits, meters)}},
      {"ks_vfio_losses",
       sizeof(ks_vfio_losses),
       {MEMBER(ks_vfio_losses, ring_full), MEMBER(ks_vfio_losses, row_lookup),
        MEMBER(ks_vfio_losses, missed_return), MEMBER(ks_vfio_losses, vfio_unattributed),
        MEMBER(ks_vfio_losses, vfio_without_vm)}},
  };
  return *kLayouts;
}

const std::vector<Layout>& ResourceLayouts() {
  static const auto* const kLayouts = new std::vector<Layout>{
      {"ks_resource_vm",
       sizeof(ks_resource_vm),
       {MEMBER(ks_resource_vm, vm_serial),   MEMBER(ks_resource_vm, begun),
        MEMBER(ks_resource_vm, ended),       MEMBER(ks_resource_vm, time_ns),
        MEMBER(ks_resource_vm, tgid),        MEMBER(ks_resource_vm, known),
        MEMBER(ks_resource_vm, run),         MEMBER(ks_resource_vm, cpu_group),
        MEMBER(ks_resource_vm, quota),       MEMBER(ks_resource_vm, period),
        MEMBER(ks_resource_vm, periods),     MEMBER(ks_resource_vm, periods_throttled),
        MEMBER(ks_resource_vm, throttled),   MEMBER(ks_resource_vm, memory_group),
        MEMBER(ks_resource_vm, memory_used), MEMBER(ks_resource_vm, memory_limit),
        MEMBER(ks_resource_vm, swap_used),   MEMBER(ks_resource_vm, high_events),
        MEMBER(ks_resource_vm, max_events),  MEMBER(ks_resource_vm, oom_events),
        MEMBER(ks_resource_vm, oom_kills),   MEMBER(ks_resource_vm, resident),
        MEMBER(ks_resource_vm, swapped),     MEMBER(ks_resource_vm, locked),
        MEMBER(ks_resource_vm, huge),        MEMBER(ks_resource_vm, configured),
        MEMBER(ks_resource_vm, oom_victims), MEMBER(ks_resource_vm, has_disks),
        MEMBER(ks_resource_vm, padding)}},
      {"ks_resource_vcpu",
       sizeof(ks_resource_vcpu),
       {MEMBER(ks_resource_vcpu, vm_serial), MEMBER(ks_resource_vcpu, index),
        MEMBER(ks_resource_vcpu, outside), MEMBER(ks_resource_vcpu, begun),
        MEMBER(ks_resource_vcpu, ended), MEMBER(ks_resource_vcpu, run),
        MEMBER(ks_resource_vcpu, delay), MEMBER(ks_resource_vcpu, exits),
        MEMBER(ks_resource_vcpu, tid), MEMBER(ks_resource_vcpu, state)}},
      {"ks_resource_disk",
       sizeof(ks_resource_disk),
       {MEMBER(ks_resource_disk, device), MEMBER(ks_resource_disk, reads),
        MEMBER(ks_resource_disk, writes), MEMBER(ks_resource_disk, read_bytes),
        MEMBER(ks_resource_disk, write_bytes), MEMBER(ks_resource_disk, errors),
        MEMBER(ks_resource_disk, padding), MEMBER(ks_resource_disk, latencies)}},
      {"ks_resource_disks",
       sizeof(ks_resource_disks),
       {MEMBER(ks_resource_disks, vm_serial), MEMBER(ks_resource_disks, padding),
        MEMBER(ks_resource_disks, disks)}},
      {"ks_resource_group",
       sizeof(ks_resource_group),
       {MEMBER(ks_resource_group, serial), MEMBER(ks_resource_group, slot),
        MEMBER(ks_resource_group, several), MEMBER(ks_resource_group, pass)}},
      {"ks_resource_tap",
       sizeof(ks_resource_tap),
       {MEMBER(ks_resource_tap, serial), MEMBER(ks_resource_tap, device),
        MEMBER(ks_resource_tap, pass), MEMBER(ks_resource_tap, ifindex),
        MEMBER(ks_resource_tap, padding), MEMBER(ks_resource_tap, sent_packets),
        MEMBER(ks_resource_tap, sent_bytes), MEMBER(ks_resource_tap, sent_drops),
        MEMBER(ks_resource_tap, sent_errors), MEMBER(ks_resource_tap, received_packets),
        MEMBER(ks_resource_tap, received_bytes), MEMBER(ks_resource_tap, received_drops),
        MEMBER(ks_resource_tap, received_errors)}},
      {"ks_victim", sizeof(ks_victim), {MEMBER(ks_victim, serial)}},
      {"ks_taker_key",
       sizeof(ks_taker_key),
       {MEMBER(ks_taker_key, victim), MEMBER(ks_taker_key, taker), MEMBER(ks_taker_key, tgid),
        MEMBER(ks_taker_key, padding)}},
      {"ks_taker", sizeof(ks_taker), {MEMBER(ks_taker, ns), MEMBER(ks_taker, comm)}},
      {"ks_resource_losses",
       sizeof(ks_resource_losses),
       {MEMBER(ks_resource_losses, row_lookup), MEMBER(ks_resource_losses, table_update),
        MEMBER(ks_resource_losses, shared_group), MEMBER(ks_resource_losses, many_threads)}},
  };
  return *kLayouts;
}

const std::vector<Layout>& VmmLayouts() {
  static const auto* const kLayouts = new std::vector<Layout>{
      {"ks_vmm_vm_row",
       sizeof(ks_vmm_vm_row),
       {MEMBER(ks_vmm_vm_row, vm_serial), MEMBER(ks_vmm_vm_row, changed),
        MEMBER(ks_vmm_vm_row, code), MEMBER(ks_vmm_vm_row, calls), MEMBER(ks_vmm_vm_row, signals),
        MEMBER(ks_vmm_vm_row, slots), MEMBER(ks_vmm_vm_row, sockets), MEMBER(ks_vmm_vm_row, unsent),
        MEMBER(ks_vmm_vm_row, children), MEMBER(ks_vmm_vm_row, refused),
        MEMBER(ks_vmm_vm_row, window_ns), MEMBER(ks_vmm_vm_row, sent),
        MEMBER(ks_vmm_vm_row, memory_end), MEMBER(ks_vmm_vm_row, memory_at),
        MEMBER(ks_vmm_vm_row, padding), MEMBER(ks_vmm_vm_row, meters),
        MEMBER(ks_vmm_vm_row, peers)}},
      {"ks_child",
       sizeof(ks_child),
       {MEMBER(ks_child, vm), MEMBER(ks_child, begin), MEMBER(ks_child, program),
        MEMBER(ks_child, copied)}},
      {"ks_vmm_limits",
       sizeof(ks_vmm_limits),
       {MEMBER(ks_vmm_limits, meters), MEMBER(ks_vmm_limits, watched),
        MEMBER(ks_vmm_limits, networks), MEMBER(ks_vmm_limits, padding)}},
      {"ks_peer",
       sizeof(ks_peer),
       {MEMBER(ks_peer, address), MEMBER(ks_peer, family), MEMBER(ks_peer, port),
        MEMBER(ks_peer, told_ns)}},
      {"ks_vmm_losses",
       sizeof(ks_vmm_losses),
       {MEMBER(ks_vmm_losses, ring_full), MEMBER(ks_vmm_losses, row_lookup),
        MEMBER(ks_vmm_losses, missed_return), MEMBER(ks_vmm_losses, child_untracked),
        MEMBER(ks_vmm_losses, orphan_act), MEMBER(ks_vmm_losses, early_file)}},
  };
  return *kLayouts;
}

const std::vector<Layout>& LayoutsOf(SourceId source) {
  switch (source) {
    case SourceId::kKvm:
      return KvmLayouts();
    case SourceId::kVfio:
      return VfioLayouts();
    case SourceId::kVhost:
      return VhostLayouts();
    case SourceId::kResource:
      return ResourceLayouts();
    case SourceId::kVmm:
      return VmmLayouts();
    case SourceId::kEntitlement:
      break;  // it has no BPF
  }
  return KvmLayouts();
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
       {MEMBER(ks_limit_crossed, header), MEMBER(ks_limit_crossed, source),
        MEMBER(ks_limit_crossed, meter), MEMBER(ks_limit_crossed, part_index),
        MEMBER(ks_limit_crossed, counted), MEMBER(ks_limit_crossed, max),
        MEMBER(ks_limit_crossed, window_ns), MEMBER(ks_limit_crossed, last)}},
      {"ks_vmm_act",
       sizeof(ks_vmm_act),
       {MEMBER(ks_vmm_act, header), MEMBER(ks_vmm_act, source), MEMBER(ks_vmm_act, act),
        MEMBER(ks_vmm_act, tgid), MEMBER(ks_vmm_act, port), MEMBER(ks_vmm_act, cut),
        MEMBER(ks_vmm_act, family), MEMBER(ks_vmm_act, member), MEMBER(ks_vmm_act, padding),
        MEMBER(ks_vmm_act, address), MEMBER(ks_vmm_act, actor), MEMBER(ks_vmm_act, text),
        MEMBER(ks_vmm_act, uid), MEMBER(ks_vmm_act, arguments_size), MEMBER(ks_vmm_act, arguments),
        MEMBER(ks_vmm_act, parents)}},
      {"ks_open_file",
       sizeof(ks_open_file),
       {MEMBER(ks_open_file, kvm), MEMBER(ks_open_file, vcpu), MEMBER(ks_open_file, tgid),
        MEMBER(ks_open_file, fd), MEMBER(ks_open_file, creator_pid), MEMBER(ks_open_file, kind)}},
      {"ks_open_device",
       sizeof(ks_open_device),
       {MEMBER(ks_open_device, object), MEMBER(ks_open_device, interface),
        MEMBER(ks_open_device, inode), MEMBER(ks_open_device, size),
        MEMBER(ks_open_device, fs_magic), MEMBER(ks_open_device, fs_device),
        MEMBER(ks_open_device, device), MEMBER(ks_open_device, tgid), MEMBER(ks_open_device, fd),
        MEMBER(ks_open_device, kind), MEMBER(ks_open_device, flags), MEMBER(ks_open_device, tap),
        MEMBER(ks_open_device, ifindex), MEMBER(ks_open_device, net_ns),
        MEMBER(ks_open_device, generation), MEMBER(ks_open_device, padding),
        MEMBER(ks_open_device, path)}},
  };
  return *kLayouts;
}

using ObjectPtr = std::unique_ptr<bpf_object, decltype(&bpf_object__close)>;

// Opened only, which takes no privilege.
ObjectPtr Open(Elf elf) {
  const std::span<const char> bytes = BytesOf(elf);
  ObjectPtr object(bpf_object__open_mem(bytes.data(), bytes.size(), nullptr), bpf_object__close);
  EXPECT_NE(object, nullptr);
  return object;
}

struct NamedElf {
  std::string name;
  Elf elf;
};

std::vector<NamedElf> ElfsOf(const BpfSource& source) {
  return {{std::string(source.name), source.programs},
          {absl::StrCat(source.name, "_maps"), source.maps_only}};
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
  for (const SourceRow& source : SourceRows()) {
    if (source.bpf == nullptr) continue;
    for (const auto& [name, elf] : ElfsOf(source.bpf())) {
      SCOPED_TRACE(name);
      const ObjectPtr object = Open(elf);
      for (const auto* layouts : {&SharedLayouts(), &LayoutsOf(source.id)}) {
        for (const Layout& layout : *layouts) {
          SCOPED_TRACE(layout.name);
          EXPECT_TRUE(Compare(bpf_object__btf(object.get()), layout)) << "not described";
        }
      }
    }
  }
}

TEST(LayoutTest, RecordsAreLaidOutAlikeInEveryObjectThatWritesThem) {
  for (const Layout& layout : RecordLayouts()) {
    SCOPED_TRACE(layout.name);
    int writers = 0;
    for (const SourceRow& source : SourceRows()) {
      if (source.bpf == nullptr) continue;
      const ObjectPtr object = Open(source.bpf().programs);
      writers += Compare(bpf_object__btf(object.get()), layout) ? 1 : 0;
    }
    EXPECT_GT(writers, 0) << "not described anywhere";
  }
}

// Else loading the maps of a source would not make all that its programs have.
TEST(LayoutTest, EveryObjectHasAllMapsOfItsSourceAndTheirValuesAreAsWideAsTheRowsThatAreRead) {
  for (const SourceRow& source : SourceRows()) {
    if (source.bpf == nullptr) continue;
    for (const auto& [name, elf] : ElfsOf(source.bpf())) {
      SCOPED_TRACE(name);
      const ObjectPtr object = Open(elf);
      for (const auto maps : {MapPlan::SharedMaps(), source.bpf().maps}) {
        for (const MapRow& expected : maps) {
          if (!expected.pinned) continue;
          const bpf_map* map =
              bpf_object__find_map_by_name(object.get(), std::string(expected.name).c_str());
          ASSERT_NE(map, nullptr) << expected.name;
          EXPECT_NE(bpf_map__pin_path(map), nullptr) << expected.name;
          if (expected.value_size == 0) continue;
          EXPECT_EQ(bpf_map__value_size(map), expected.value_size) << expected.name;
          EXPECT_NE(bpf_map__btf_value_type_id(map), 0U) << expected.name << ": no field names";
        }
      }
    }
  }
}

// A map without a row would get no size, and no place in its source's folder.
TEST(LayoutTest, EveryPinnedMapHasARow) {
  std::vector<const BpfSource*> sources;
  sources = BpfSources();
  const MapPlan plan("/pins", MapSizes{}, sources);
  for (const BpfSource* source : sources) {
    for (const auto& [name, elf] : ElfsOf(*source)) {
      const ObjectPtr object = Open(elf);
      const bpf_map* map = nullptr;
      bpf_object__for_each_map(map, object.get()) {
        if (bpf_map__pin_path(map) == nullptr) continue;
        EXPECT_NE(plan.Find(bpf_map__name(map)), nullptr) << name << ": " << bpf_map__name(map);
      }
    }
  }
}

}  // namespace
}  // namespace kvmsentry
