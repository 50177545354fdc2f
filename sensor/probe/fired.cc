#include "sensor/probe/fired.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "absl/strings/strip.h"

#include "sensor/base/load.h"

namespace kvmsentry {
namespace {

constexpr char kSection[] = ".data.fired";

}  // namespace

absl::StatusOr<FiredPrograms> FiredPrograms::Map(const bpf_object& object) {
  FiredPrograms fired;
  const bpf_map* map = bpf_object__find_map_by_name(&object, kSection);
  if (map == nullptr) return fired;
  const btf* types = bpf_object__btf(&object);
  const int id = btf__find_by_name_kind(types, kSection, BTF_KIND_DATASEC);
  if (id < 0) return absl::InternalError(absl::StrCat("no types of section ", kSection));
  const btf_type* section = btf__type_by_id(types, static_cast<uint32_t>(id));
  const btf_var_secinfo* variable = btf_var_secinfos(section);
  for (uint16_t i = 0; i < btf_vlen(section); ++i, ++variable) {
    const btf_type* type = btf__type_by_id(types, variable->type);
    const absl::string_view name = btf__name_by_offset(types, type->name_off);
    fired.offsets_.emplace(absl::StripSuffix(name, "_fired"), variable->offset);
  }
  KVMSENTRY_ASSIGN_OR_RETURN(
      fired.bytes_,
      MappedRows<const uint8_t>::Map(bpf_map__fd(map), bpf_map__value_size(map), kSection));
  return fired;
}

bool FiredPrograms::HasFired(absl::string_view program) const {
  const auto offset = offsets_.find(program);
  if (offset == offsets_.end() || offset->second >= bytes_.rows().size()) return false;
  return Load(bytes_.rows()[offset->second]) != 0;
}

}  // namespace kvmsentry
