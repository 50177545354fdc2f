#include "sensor/loader/codec.h"

#include <algorithm>

#include "sensor/base/enum_within.h"

namespace kvmsentry {
namespace {

absl::Status Malformed(absl::string_view what) {
  return absl::DataLossError(absl::StrCat("the loader's answer has no ", what));
}

}  // namespace

void ReplyWriter::Add(const absl::Status& status) {
  reply_.set_status(static_cast<int32_t>(status.code()));
  reply_.set_message(std::string(status.message()));
}

void ReplyWriter::Add(const LoadedObject& object) {
  const LoadedObject::Parts& parts = object.parts();
  loader::Object& out = *reply_.add_objects();
  out.set_number(parts.number);
  out.set_name(parts.name);
  for (const LoadedProgram& program : parts.programs) {
    loader::Program& entry = *out.add_programs();
    entry.set_name(program.name);
    if (program.fired_at) entry.set_fired_at(*program.fired_at);
    descriptors_.push_back(program.fd.get());
  }
  for (const LoadedMap& map : parts.maps) {
    loader::Map& entry = *out.add_maps();
    entry.set_name(map.name);
    entry.set_pin(map.pin);
    descriptors_.push_back(map.fd.get());
  }
  for (const LoadedLink& link : parts.links) Add(link, out.add_links());
  out.set_has_fired(static_cast<bool>(parts.fired));
  out.set_fired_bytes(parts.fired_bytes);
  if (parts.fired) descriptors_.push_back(parts.fired.get());
}

void ReplyWriter::Add(const LoadedLink& link, loader::Link* out) {
  out->set_program(link.program);
  out->set_program_id(link.program_id);
  descriptors_.push_back(link.fd.get());
}

void ReplyWriter::Add(const PinFolder& folder) {
  loader::Pins& pins = *reply_.mutable_pins();
  pins.set_pins(static_cast<uint32_t>(folder.pins));
  for (const std::string& removed : folder.recreated) pins.add_recreated(removed);
  pins.set_made(folder.made);
  pins.set_kept(folder.kept);
  descriptors_.push_back(folder.lock.get());
}

void ReplyWriter::Add(const HookCoverage& coverage) {
  const auto place = std::ranges::find(hooks_, coverage.hook) - hooks_.begin();
  loader::HookReply& out = *reply_.add_hooks();
  out.set_hook(static_cast<uint32_t>(place));
  out.set_coverage(static_cast<uint32_t>(coverage.coverage));
  out.set_variant(coverage.variant);
  out.set_reason(coverage.reason);
  out.set_lack(static_cast<uint32_t>(coverage.lack));
  for (const std::string& program : coverage.programs) out.add_programs(program);
}

void ReplyWriter::Add(const LoadedLink& link) { Add(link, reply_.mutable_link()); }

void ReplyWriter::Add(const Fd& opened) {
  reply_.set_opened(true);
  descriptors_.push_back(opened.get());
}

absl::Status ReplyWriter::Send(int socket) const {
  return SendPacket(socket, reply_.SerializeAsString(), descriptors_);
}

bool ReplyReader::Parse() { return reply_.ParseFromString(packet_.bytes) && reply_.is_reply(); }

absl::Status ReplyReader::status() const {
  return {static_cast<absl::StatusCode>(reply_.status()), reply_.message()};
}

absl::StatusOr<Fd> ReplyReader::TakeDescriptor() {
  if (taken_ >= packet_.descriptors.size()) return Malformed("descriptor where one is due");
  return std::move(packet_.descriptors[taken_++]);
}

absl::StatusOr<LoadedLink> ReplyReader::TakeLink(const loader::Link& link) {
  LoadedLink taken{.program = link.program(), .fd = {}, .program_id = link.program_id()};
  KVMSENTRY_ASSIGN_OR_RETURN(taken.fd, TakeDescriptor());
  return taken;
}

absl::StatusOr<LoadedObject> ReplyReader::TakeObject(const loader::Object& object) {
  LoadedObject::Parts parts;
  parts.number = object.number();
  parts.name = object.name();
  for (const loader::Program& entry : object.programs()) {
    LoadedProgram program{.name = entry.name(), .fd = {}};
    if (entry.has_fired_at()) program.fired_at = entry.fired_at();
    KVMSENTRY_ASSIGN_OR_RETURN(program.fd, TakeDescriptor());
    parts.programs.push_back(std::move(program));
  }
  for (const loader::Map& entry : object.maps()) {
    LoadedMap map{.name = entry.name(), .pin = entry.pin(), .fd = {}};
    KVMSENTRY_ASSIGN_OR_RETURN(map.fd, TakeDescriptor());
    parts.maps.push_back(std::move(map));
  }
  for (const loader::Link& entry : object.links()) {
    KVMSENTRY_ASSIGN_OR_RETURN(LoadedLink link, TakeLink(entry));
    parts.links.push_back(std::move(link));
  }
  if (object.has_fired()) {
    KVMSENTRY_ASSIGN_OR_RETURN(parts.fired, TakeDescriptor());
    parts.fired_bytes = object.fired_bytes();
  }
  return LoadedObject::Make(std::move(parts));
}

absl::StatusOr<std::vector<LoadedObject>> ReplyReader::TakeObjects() {
  std::vector<LoadedObject> objects;
  for (const loader::Object& entry : reply_.objects()) {
    KVMSENTRY_ASSIGN_OR_RETURN(LoadedObject object, TakeObject(entry));
    objects.push_back(std::move(object));
  }
  return objects;
}

absl::StatusOr<PinFolder> ReplyReader::TakePins() {
  if (!reply_.has_pins()) return Malformed("pins");
  const loader::Pins& pins = reply_.pins();
  PinFolder folder;
  folder.pins = EnumWithin(pins.pins(), Pins::kRecreated);
  folder.recreated.assign(pins.recreated().begin(), pins.recreated().end());
  folder.made = pins.made();
  folder.kept = pins.kept();
  KVMSENTRY_ASSIGN_OR_RETURN(folder.lock, TakeDescriptor());
  return folder;
}

absl::StatusOr<std::vector<HookCoverage>> ReplyReader::TakeHooks() {
  std::vector<HookCoverage> hooks;
  for (const loader::HookReply& entry : reply_.hooks()) {
    if (entry.hook() >= hooks_.size()) return Malformed("known hook");
    hooks.push_back({.hook = hooks_[entry.hook()],
                     .coverage = EnumWithin(entry.coverage(), Coverage::kAttached),
                     .variant = entry.variant(),
                     .reason = entry.reason(),
                     .lack = EnumWithin(entry.lack(), Lack::kFailed),
                     .programs = {entry.programs().begin(), entry.programs().end()}});
  }
  return hooks;
}

absl::StatusOr<LoadedLink> ReplyReader::TakeLink() {
  if (!reply_.has_link()) return Malformed("link");
  return TakeLink(reply_.link());
}

absl::StatusOr<Fd> ReplyReader::TakeOpened() {
  if (!reply_.opened()) return Malformed("descriptor");
  return TakeDescriptor();
}

}  // namespace kvmsentry
