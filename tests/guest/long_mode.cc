#include "tests/guest/long_mode.h"

#include <cstring>

#include "tests/guest/guest_code.h"
#include "tests/guest/layout.h"

namespace kvmsentry::guest {
namespace {

constexpr uint64_t kLargePage = uint64_t{1} << 21;

constexpr uint64_t kPresent = 1 << 0;
constexpr uint64_t kWritable = 1 << 1;
constexpr uint64_t kAccessed = 1 << 5;
constexpr uint64_t kDirty = 1 << 6;
constexpr uint64_t kLarge = 1 << 7;

constexpr uint64_t kCr0 = 0x80010033;  // PG, WP, NE, ET, MP, PE
constexpr uint64_t kCr4Pae = 1 << 5;
constexpr uint64_t kEferLongMode = (1 << 8) | (1 << 10);  // LME, LMA
constexpr uint64_t kEferSvme = 1 << 12;

constexpr uint16_t kCodeSelector = 0x08;
constexpr uint16_t kDataSelector = 0x10;
constexpr uint64_t kCodeDescriptor = 0x00af9b000000ffff;
constexpr uint64_t kDataDescriptor = 0x00cf93000000ffff;
constexpr uint64_t kGeneralProtectionVector = 13;
constexpr uint64_t kTimerVector = 0x40;  // as in guest_code.S

void Store(absl::Span<uint8_t> memory, uint64_t address, uint64_t value) {
  std::memcpy(memory.subspan(address, sizeof(value)).data(), &value, sizeof(value));
}

uint64_t Load(absl::Span<const uint8_t> memory, uint64_t address) {
  uint64_t value = 0;
  std::memcpy(&value, memory.subspan(address, sizeof(value)).data(), sizeof(value));
  return value;
}

// Four-level tables of 2 MiB pages. The tables are allocated as addresses ask for them: the root,
// one directory pointer table and one directory for memory, and at most one more of each for an
// MMIO address anywhere.
class PageTables {
 public:
  explicit PageTables(absl::Span<uint8_t> memory) : memory_(memory) {}

  void MapIdentity(uint64_t address) {
    const uint64_t pointers = Descend(kPageTablesAddress, (address >> 39) & 511);
    const uint64_t directory = Descend(pointers, (address >> 30) & 511);
    Store(memory_, directory + ((address >> 21) & 511) * 8,
          (address & ~(kLargePage - 1)) | kPresent | kWritable | kAccessed | kDirty | kLarge);
  }

 private:
  uint64_t Descend(uint64_t table, uint64_t index) {
    const uint64_t entry = table + index * 8;
    const uint64_t found = Load(memory_, entry);
    if (found != 0) return found & ~(kPageSize - 1);
    const uint64_t next = next_;
    next_ += kPageSize;
    Store(memory_, entry, next | kPresent | kWritable | kAccessed);
    return next;
  }

  absl::Span<uint8_t> memory_;
  uint64_t next_ = kPageTablesAddress + kPageSize;
};

void WriteInterruptGate(absl::Span<uint8_t> memory, uint64_t vector, uint64_t handler) {
  constexpr uint64_t kPresentInterruptGate = 0x8e;
  const uint64_t low = (handler & 0xffff) | (uint64_t{kCodeSelector} << 16) |
                       (kPresentInterruptGate << 40) | (((handler >> 16) & 0xffff) << 48);
  Store(memory, kIdtAddress + vector * 16, low);
  Store(memory, kIdtAddress + vector * 16 + 8, handler >> 32);
}

kvm_segment Segment(uint16_t selector, uint8_t type) {
  kvm_segment segment = {};
  segment.selector = selector;
  segment.limit = 0xffffffff;
  segment.type = type;
  segment.present = 1;
  segment.s = 1;
  segment.g = 1;
  return segment;
}

}  // namespace

void WriteSharedState(const Workload& workload, absl::Span<uint8_t> memory) {
  PageTables tables(memory);
  for (uint64_t address = 0; address < memory.size(); address += kLargePage) {
    tables.MapIdentity(address);
  }
  if (LeavesMemory(workload.behaviour)) tables.MapIdentity(workload.gpa);

  Store(memory, kGdtAddress + kCodeSelector, kCodeDescriptor);
  Store(memory, kGdtAddress + kDataSelector, kDataDescriptor);
  if (workload.behaviour == Behaviour::kMsr) {
    WriteInterruptGate(memory, kGeneralProtectionVector, GeneralProtectionHandler());
  }
  if (workload.behaviour == Behaviour::kTimer) {
    WriteInterruptGate(memory, kTimerVector, TimerInterruptHandler());
  }

  if (RaisesSmis(workload.behaviour)) {
    constexpr uint64_t kRsm = 0xaa0f;
    Store(memory, kSmmCodeAddress, kRsm);
  }

  const absl::Span<const uint8_t> code = GuestCode();
  std::memcpy(memory.subspan(kCodeAddress, code.size()).data(), code.data(), code.size());
}

// The offsets are those of APM vol. 2, appendix B.
void WriteControlBlock(uint32_t vcpu, absl::Span<uint8_t> memory) {
  const absl::Span<uint8_t> block = memory.subspan(ControlBlockAddress(vcpu), kPageSize);
  constexpr uint64_t kInterceptVmrunAndVmmcall = 3;
  Store(block, 0x10, kInterceptVmrunAndVmmcall);
  Store(block, 0x58, 1);  // its address space, any but the host's
  constexpr uint64_t kSave = 0x400;
  const auto segment = [&](uint64_t offset, uint64_t selector, uint64_t attributes) {
    Store(block, kSave + offset, selector | attributes << 16 | uint64_t{0xffffffff} << 32);
  };
  constexpr uint64_t kCode64 = 0xa9b;
  constexpr uint64_t kData = 0xc93;
  segment(0x00, kDataSelector, kData);  // es, cs, ss, ds
  segment(0x10, kCodeSelector, kCode64);
  segment(0x20, kDataSelector, kData);
  segment(0x30, kDataSelector, kData);
  Store(block, kSave + 0x60, uint64_t{3 * 8 - 1} << 32);  // gdtr: limit, base
  Store(block, kSave + 0x68, kGdtAddress);
  Store(block, kSave + 0xd0, kEferLongMode | kEferSvme);
  Store(block, kSave + 0x148, kCr4Pae);
  Store(block, kSave + 0x150, kPageTablesAddress);
  Store(block, kSave + 0x158, kCr0);
  Store(block, kSave + 0x160, 0x400);       // dr7
  Store(block, kSave + 0x168, 0xffff0ff0);  // dr6
  Store(block, kSave + 0x170, 2);           // rflags
  Store(block, kSave + 0x178, InnerCode());
  Store(block, kSave + 0x1d8, StackTop(vcpu));
  Store(block, kSave + 0x268, 0x0007040600070406);  // pat, as after reset
}

void EnterLongMode(const Workload& workload, kvm_sregs& sregs) {
  constexpr uint8_t kCodeType = 11;  // execute, read, accessed
  constexpr uint8_t kDataType = 3;   // read, write, accessed
  sregs.cs = Segment(kCodeSelector, kCodeType);
  sregs.cs.l = 1;
  kvm_segment data = Segment(kDataSelector, kDataType);
  data.db = 1;
  sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss = data;

  // Never used, but VM entry on Intel insists on a busy 64-bit TSS.
  kvm_segment task = {};
  task.limit = 0x67;
  task.type = 11;
  task.present = 1;
  sregs.tr = task;

  sregs.gdt.base = kGdtAddress;
  sregs.gdt.limit = 3 * 8 - 1;
  sregs.idt.base = kIdtAddress;
  sregs.idt.limit = kPageSize - 1;

  sregs.cr0 = kCr0;
  sregs.cr3 = kPageTablesAddress;
  sregs.cr4 = kCr4Pae;
  sregs.efer = kEferLongMode | (workload.behaviour == Behaviour::kNested ? kEferSvme : 0);
}

}  // namespace kvmsentry::guest
