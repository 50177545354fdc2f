#include "sensor/probe/bpf_object.h"

#include <algorithm>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <mutex>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

#include "sensor/probe/fired.h"

namespace kvmsentry {
namespace {

// libbpf has one print hook for the whole process.
std::mutex log_mutex;
std::string log_text;

int KeepLog(libbpf_print_level level, const char* format, va_list arguments) {
  if (level == LIBBPF_DEBUG) return 0;
  constexpr size_t kMost = size_t{64} << 10;
  char text[32 * 1024];  // the verifier's log comes in one piece
  const int length = std::vsnprintf(text, sizeof(text), format, arguments);
  const std::lock_guard lock(log_mutex);
  if (log_text.size() < kMost) log_text += text;
  return length;
}

// The map that LOG, libbpf's, says could not be made (tools/lib/bpf/libbpf.c,
// bpf_object__create_maps); empty without.
std::string RefusedMap(absl::string_view log) {
  const size_t end = log.find("': failed to create: ");
  if (end == absl::string_view::npos) return {};
  const size_t begin = log.rfind("map '", end);
  if (begin == absl::string_view::npos) return {};
  return std::string(log.substr(begin + 5, end - begin - 5));
}

bool IsFrozen(int map) {
  std::ifstream info(absl::StrCat("/proc/self/fdinfo/", map));
  for (std::string line; std::getline(info, line);) {
    if (line == "frozen:\t1") return true;
  }
  return false;
}

absl::StatusOr<Fd> Duplicate(int fd) {
  Fd duplicate(fcntl(fd, F_DUPFD_CLOEXEC, 3));
  if (!duplicate) return absl::ErrnoToStatus(errno, "duplicating a descriptor");
  return duplicate;
}

// What went wrong: the verifier's last word, which stands before its statistics, else libbpf's
// first.
std::string ReasonFromLog(absl::string_view log) {
  std::string previous;
  std::string first;
  for (const absl::string_view line : absl::StrSplit(log, '\n', absl::SkipWhitespace())) {
    if (absl::StartsWith(line, "processed ")) return previous;
    previous = std::string(absl::StripPrefix(line, "libbpf: "));
    if (first.empty()) first = previous;
  }
  return first;
}

}  // namespace

std::string LibbpfVersion() {
  return absl::StrCat(libbpf_major_version(), ".", libbpf_minor_version());
}

void KeepLibbpfLog() { libbpf_set_print(KeepLog); }

std::string RefusedProgram(absl::string_view log, std::span<const std::string> programs) {
  constexpr absl::string_view kProgram = "prog '";
  const size_t begin = log.find(kProgram);
  if (begin == absl::string_view::npos) return {};
  absl::string_view name = log.substr(begin + kProgram.size());
  name = name.substr(0, name.find('\''));
  const auto found = std::ranges::find(programs, name);
  return found == programs.end() ? std::string() : *found;
}

std::string TakeLibbpfLog() {
  const std::lock_guard lock(log_mutex);
  return std::exchange(log_text, {});
}

void BpfObject::Deleter::operator()(bpf_object* object) const { bpf_object__close(object); }
void BpfObject::Deleter::operator()(bpf_link* link) const { bpf_link__destroy(link); }

absl::StatusOr<BpfObject> BpfObject::Open(const BpfSource& source, const MapPlan& plan) {
  return Open(source.name, BytesOf(source.programs), plan);
}

absl::StatusOr<BpfObject> BpfObject::Open(absl::string_view name, std::span<const char> bytes,
                                          const MapPlan& plan) {
  KeepLibbpfLog();
  BpfObject opened;
  opened.name_ = std::string(name);
  opened.plan_ = &plan;
  bpf_object_open_opts options{};
  options.sz = sizeof(options);
  options.object_name = opened.name_.c_str();
  options.pin_root_path = plan.pin_root().c_str();
  opened.object_.reset(bpf_object__open_mem(bytes.data(), bytes.size(), &options));
  if (opened.object_ == nullptr) {
    return absl::InternalError(
        absl::StrCat("BPF object ", name, ": ", ReasonFromLog(TakeLibbpfLog())));
  }
  bpf_map* map = nullptr;
  bpf_object__for_each_map(map, opened.object_.get()) {
    const MapRow* row = plan.Find(bpf_map__name(map));
    if (row == nullptr) continue;
    if (row->pinned) bpf_map__set_pin_path(map, plan.PathOf(row->name).c_str());
    const uint32_t entries = EntriesOf(row->size, plan.sizes());
    if (entries != 0) bpf_map__set_max_entries(map, entries);
  }
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, opened.object_.get()) {
    bpf_program__set_autoload(program, false);
  }
  return opened;
}

absl::Status BpfObject::Load(const std::vector<std::string>& programs) {
  for (const std::string& name : programs) {
    bpf_program* program = bpf_object__find_program_by_name(object_.get(), name.c_str());
    if (program == nullptr) {
      return absl::InternalError(absl::StrCat("BPF object ", name_, " has no program ", name));
    }
    bpf_program__set_autoload(program, true);
  }
  loaded_ = programs;
  TakeLibbpfLog();
  if (const int error = bpf_object__load(object_.get()); error != 0) {
    const std::string log = TakeLibbpfLog();
    refused_ = RefusedProgram(log, programs);
    const bpf_map* map = bpf_object__find_map_by_name(object_.get(), RefusedMap(log).c_str());
    const bool too_big = error == -ENOMEM || error == -E2BIG;
    if (map != nullptr && too_big) return MapRefused(*map, -error);
    return absl::ErrnoToStatus(
        -error, absl::StrCat("loading BPF object ", name_, ": ", ReasonFromLog(log)));
  }
  return Freeze();
}

// Maps that only programs write: whoever else tries is refused. One that is frozen already, by an
// object before this one or an earlier run, refuses with EBUSY or, by newer kernels, EPERM. EBUSY
// also says that somebody may write to it just now (kernel/bpf/syscall.c, map_freeze).
absl::Status BpfObject::Freeze() {
  const bpf_map* map = nullptr;
  bpf_object__for_each_map(map, object_.get()) {
    const MapRow* row = plan_->Find(bpf_map__name(map));
    if (row == nullptr || !row->frozen || bpf_map_freeze(bpf_map__fd(map)) == 0) continue;
    const int error = errno;
    if (IsFrozen(bpf_map__fd(map))) continue;
    if (error != EBUSY) {
      return absl::ErrnoToStatus(error, absl::StrCat("freezing the map ", row->name));
    }
    return absl::UnavailableError(absl::StrCat(
        "the map ", row->name,
        " cannot be frozen, for another process has mapped it to write to it: bpftool map show "
        "tells which; end it, or remove the pins by kvmsentryd --unpin"));
  }
  return absl::OkStatus();
}

absl::Status BpfObject::MapRefused(const bpf_map& map, int error) const {
  const uint64_t bytes =
      uint64_t{bpf_map__max_entries(&map)} *
      std::max(bpf_map__key_size(&map) + bpf_map__value_size(&map), 1U);  // the ring's are 0
  const MapRow* row = plan_->Find(bpf_map__name(&map));
  const absl::string_view option = row == nullptr ? "" : OptionOf(row->size);
  return absl::ResourceExhaustedError(absl::StrCat(
      "map ", bpf_map__name(&map), ": the kernel refuses it its ", (bytes + 1023) / 1024, " KiB (",
      bpf_map__max_entries(&map), " entries): ", std::strerror(error), "; ",
      option.empty() ? "" : absl::StrCat("choose a smaller ", option, ", or "),
      "raise the memory limit of kvmsentryd's cgroup"));
}

absl::Status BpfObject::Attach(const std::string& program) {
  const bpf_program* found = bpf_object__find_program_by_name(object_.get(), program.c_str());
  if (std::ranges::find(links_, program, &Attached::program) != links_.end()) {
    return absl::FailedPreconditionError(absl::StrCat("BPF program ", program, " is attached"));
  }
  std::unique_ptr<bpf_link, Deleter> link(found == nullptr ? nullptr : bpf_program__attach(found));
  if (link == nullptr) {
    constexpr int kNotSupported = 524;  // the kernel's own, include/linux/errno.h
    const int error = errno == kNotSupported ? EOPNOTSUPP : errno;
    return absl::ErrnoToStatus(error, absl::StrCat("attaching BPF program ", program));
  }
  links_.push_back({program, std::move(link)});
  return absl::OkStatus();
}

void BpfObject::Detach(const std::string& program) {
  std::erase_if(links_, [&](const Attached& attached) { return attached.program == program; });
}

void BpfObject::Drop(const std::string& program) {
  Detach(program);
  std::erase(loaded_, program);
}

int BpfObject::MapFd(const std::string& name) const {
  return bpf_object__find_map_fd_by_name(object_.get(), name.c_str());
}

int BpfObject::ProgramFd(const std::string& program) const {
  return bpf_program__fd(bpf_object__find_program_by_name(object_.get(), program.c_str()));
}

absl::StatusOr<LoadedLink> BpfObject::HandOverLink(const std::string& program) const {
  const auto found = std::ranges::find(links_, program, &Attached::program);
  if (found == links_.end()) {
    return absl::NotFoundError(absl::StrCat("BPF program ", program, " is not attached"));
  }
  LoadedLink link{.program = program, .fd = {}, .program_id = 0};
  KVMSENTRY_ASSIGN_OR_RETURN(link.fd, Duplicate(bpf_link__fd(found->link.get())));
  link.program_id = ProgramIdOf(link.fd.get());
  return link;
}

absl::StatusOr<LoadedObject> BpfObject::HandOver(uint32_t number, Maps maps) const {
  LoadedObject::Parts parts;
  parts.name = name_;
  parts.number = number;
  const FiredBytes fired = FiredBytesOf(*object_);
  for (const std::string& name : loaded_) {
    LoadedProgram program{.name = name, .fd = {}};
    KVMSENTRY_ASSIGN_OR_RETURN(program.fd, Duplicate(ProgramFd(name)));
    if (const auto at = fired.offsets.find(name); at != fired.offsets.end()) {
      program.fired_at = at->second;
    }
    parts.programs.push_back(std::move(program));
  }
  const bpf_map* map = nullptr;
  bpf_object__for_each_map(map, object_.get()) {
    if (maps == Maps::kNone) break;
    const char* pin = bpf_map__pin_path(map);
    LoadedMap loaded{.name = bpf_map__name(map), .pin = pin == nullptr ? "" : pin, .fd = {}};
    KVMSENTRY_ASSIGN_OR_RETURN(loaded.fd, Duplicate(bpf_map__fd(map)));
    parts.maps.push_back(std::move(loaded));
  }
  for (const Attached& attached : links_) {
    KVMSENTRY_ASSIGN_OR_RETURN(LoadedLink link, HandOverLink(attached.program));
    parts.links.push_back(std::move(link));
  }
  if (fired.map >= 0) {
    KVMSENTRY_ASSIGN_OR_RETURN(parts.fired, Duplicate(fired.map));
    parts.fired_bytes = fired.size;
  }
  return LoadedObject::Make(std::move(parts));
}

}  // namespace kvmsentry
