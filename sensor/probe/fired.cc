#include "sensor/probe/fired.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

namespace kvmsentry {
namespace {

constexpr char kSection[] = ".data.fired";

}  // namespace

FiredBytes FiredBytesOf(const bpf_object& object) {
  const bpf_map* map = bpf_object__find_map_by_name(&object, kSection);
  const btf* types = bpf_object__btf(&object);
  const int id = btf__find_by_name_kind(types, kSection, BTF_KIND_DATASEC);
  if (map == nullptr || id < 0) return {};
  FiredBytes fired{.map = bpf_map__fd(map), .size = bpf_map__value_size(map), .offsets = {}};
  const btf_type* section = btf__type_by_id(types, static_cast<uint32_t>(id));
  const btf_var_secinfo* variable = btf_var_secinfos(section);
  for (uint16_t i = 0; i < btf_vlen(section); ++i, ++variable) {
    const btf_type* type = btf__type_by_id(types, variable->type);
    const absl::string_view name = btf__name_by_offset(types, type->name_off);
    fired.offsets.emplace(absl::StripSuffix(name, "_fired"), variable->offset);
  }
  return fired;
}

}  // namespace kvmsentry
