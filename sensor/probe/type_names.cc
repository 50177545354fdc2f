#include "sensor/probe/type_names.h"

#include <bpf/btf.h>

namespace kvmsentry {

void TypeNames::Add(const btf& types, uint32_t from) {
  for (uint32_t id = from; id < btf__type_cnt(&types); ++id) {
    const btf_type* type = btf__type_by_id(&types, id);
    const uint32_t kind = btf_kind(type);
    switch (kind) {
      case BTF_KIND_STRUCT:
      case BTF_KIND_UNION:
      case BTF_KIND_TYPEDEF:
      case BTF_KIND_FUNC:
        names_.emplace(std::pair(btf__name_by_offset(&types, type->name_off), kind), id);
        break;
      default:
        break;
    }
  }
}

}  // namespace kvmsentry
