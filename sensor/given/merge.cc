#include "sensor/given/merge.h"

#include <algorithm>

#include "absl/strings/match.h"

namespace kvmsentry {
namespace {

bool SameText(const TextFact& a, const TextFact& b) { return a.known() && a.value == b.value; }

bool Same(const given::Disk& a, const given::Disk& b) {
  return (!a.id.empty() && a.id == b.id) || SameText(a.path, b.path);
}
bool Same(const given::Interface& a, const given::Interface& b) {
  return (!a.id.empty() && a.id == b.id) || SameText(a.mac, b.mac);
}
bool Same(const given::SharedFolder& a, const given::SharedFolder& b) { return a.id == b.id; }
bool Same(const given::HostDevice& a, const given::HostDevice& b) {
  return (!a.id.empty() && a.id == b.id) ||
         (SameText(a.place, b.place) && SameText(a.kind, b.kind));
}

// libvirt says where a descriptor that it handed over leads.
void OfferPlace(const TextFact& other, TextFact* fact) {
  const bool descriptor = fact->known() && absl::StartsWith(*fact->value, "fd:");
  if (descriptor && other.known()) *fact = other;
  fact->Offer(other);
}

void Offer(const given::Disk& other, given::Disk* disk) {
  OfferPlace(other.path, &disk->path);
  disk->format.Offer(other.format);
  disk->cache.Offer(other.cache);
  disk->backing.Offer(other.backing);
  disk->read_only.Offer(other.read_only);
  if (other.shared.known() && disk->shared.origin == FactOrigin::kDefault)
    disk->shared = other.shared;
  disk->shared.Offer(other.shared);
}
void Offer(const given::Interface& other, given::Interface* interface) {
  OfferPlace(other.device, &interface->device);
  interface->kind.Offer(other.kind);
  interface->bridge.Offer(other.bridge);
  interface->model.Offer(other.model);
  interface->mac.Offer(other.mac);
  interface->addresses.Offer(other.addresses);
  interface->socket.Offer(other.socket);
  interface->vhost.Offer(other.vhost);
}
void Offer(const given::SharedFolder& other, given::SharedFolder* folder) {
  folder->kind.Offer(other.kind);
  folder->path.Offer(other.path);
  folder->read_only.Offer(other.read_only);
  folder->security.Offer(other.security);
  OfferPlace(other.socket, &folder->socket);
}
void Offer(const given::HostDevice& other, given::HostDevice* device) {
  device->kind.Offer(other.kind);
  device->place.Offer(other.place);
}

template <typename Part>
void MergeParts(const std::vector<Part>& others, const char* what, std::vector<Part>* parts,
                Given* given) {
  for (const Part& other : others) {
    const auto same =
        std::ranges::find_if(*parts, [&](const Part& part) { return Same(part, other); });
    if (same != parts->end()) {
      Offer(other, &*same);
    } else if (Part* added = AddPart(parts, what, given)) {
      *added = other;
    }
  }
}

}  // namespace

void MergeDeclared(const Given& other, Given* given) {
  MergeParts(other.disks, "disks", &given->disks, given);
  MergeParts(other.interfaces, "interfaces", &given->interfaces, given);
  MergeParts(other.folders, "shared folders", &given->folders, given);
  MergeParts(other.devices, "devices", &given->devices, given);
  given->memory.size.Offer(other.memory.size);
  given->memory.max.Offer(other.memory.max);
  given->cpus.start.Offer(other.cpus.start);
  given->cpus.max.Offer(other.cpus.max);
  given->machine.Offer(other.machine);
  given->privileges.nesting.Offer(other.privileges.nesting);
  given->manager.kind.Offer(other.manager.kind);
  given->manager.domain.Offer(other.manager.domain);
  given->manager.name_space.Offer(other.manager.name_space);
  given->manager.pod.Offer(other.manager.pod);
}

}  // namespace kvmsentry
