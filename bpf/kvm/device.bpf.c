/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The guest's accesses to devices: I/O ports and MMIO. */
#include "bpf/kvm/meter.bpf.h"
#include "bpf/kvm/record.bpf.h"
#include "bpf/kvm/sets.bpf.h"
#include "bpf/kvm/whose.bpf.h"

KS_LICENSE;

#define PCI_CONFIG_PORTS 0xcf8   /* PCI Local Bus Specification 3.0, 3.2.2.3.2 */
#define RESET_CONTROL_PORT 0xcf9 /* Intel 440FX and later: no PCI access, whatever its place */

/* Registers of a floppy controller, Intel 82077AA; a second one's are 0x80 below. */
#define FLOPPY_STATUS 0x3f4
#define FLOPPY_FIFO 0x3f5
#define FLOPPY_SECOND 0x80
#define FLOPPY_ANSWERS 0xc0   /* of its status: a byte is there to be read */
#define FLOPPY_MOST (512 + 9) /* a sector, after the longest command */
#define KVM_PIO_OUT 1         /* arch/x86/kvm/trace.h */

/* VENOM, CVE-2015-3456, is to send on and on: QEMU's buffer has 512 bytes. A driver sends nine at
 * most until the controller has an answer, and a sector where it does without DMA. Whether there is
 * an answer the controller says, not the guest. */
static __noinline int note_floppy(const struct ks_vcpu_row* vcpu, __u32 controller, __u32 sent) {
  struct ks_kvm_sets* sets = vcpu ? sets_of(vcpu) : 0;
  if (!sets) return 0;
  __u32* run = &sets->floppy_run[controller & 1];
  if (!sent) {
    *run = 0;
    return 0;
  }
  __u32 fifo = controller & 1 ? FLOPPY_FIFO - FLOPPY_SECOND : FLOPPY_FIFO;
  set_port(sets, fifo); /* a wider access names the port where it begins */
  if (__sync_fetch_and_add(run, sent) + sent > FLOPPY_MOST)
    set_bit(sets, &sets->overrun, KS_OVERRUN_FLOPPY);
  return 0;
}

/* Of what the tracepoint's argument DATA leads to. Not by *data: up to Linux 6.12 the verifier
 * refuses arguments that are const void*. */
static __always_inline __u8 first_byte(const __u64* data) {
  __u64 address = 0;
  __u8 byte = 0;
  bpf_probe_read_kernel(&address, sizeof(address), data);
  bpf_probe_read_kernel(&byte, sizeof(byte), (const void*)address);
  return byte;
}

/* An access of SIZE bytes at PORT, at most three below the FIFO: four bytes there reach it, too. */
static __always_inline void on_floppy(const struct ks_vcpu_row* vcpu, const __u64* ctx, __u32 port,
                                      __u32 size) {
  __u32 controller = !(port & FLOPPY_SECOND);
  bool out = (__u32)ctx[0] == KVM_PIO_OUT;
  port |= FLOPPY_SECOND;
  if (out) {
    if (FLOPPY_FIFO - port < size) note_floppy(vcpu, controller, (__u32)ctx[3]);
  } else if (port == FLOPPY_STATUS) {
    __u8 status = first_byte(&ctx[4]);
    if ((status & FLOPPY_ANSWERS) == FLOPPY_ANSWERS) note_floppy(vcpu, controller, 0);
  }
}

#define PVPANIC_PORT 0x505 /* QEMU, docs/specs/pvpanic.rst */
#define PVPANIC_EVENTS 3   /* it has panicked, and it has begun a kernel that saves what is left */

/* A driver reads the port to learn which events there are. */
static __noinline int note_pvpanic(const struct ks_vcpu_row* vcpu, const __u64* data) {
  struct ks_kvm_sets* sets = vcpu ? sets_of(vcpu) : 0;
  if (!sets || !data) return 0;
  if (first_byte(data) & PVPANIC_EVENTS) set_bit(sets, &sets->panicked, KS_PANIC_PVPANIC);
  return 0;
}

/* TP_PROTO(unsigned int rw, unsigned int port, unsigned int size, unsigned int count, const void
 * *data), arch/x86/kvm/trace.h. COUNT is 1, or of a string instruction the repetitions that were
 * carried out at once. */
static __always_inline void on_pio(const __u64* ctx) {
  struct ks_vcpu_row* vcpu = loaded_row();
  if (!vcpu) return;
  __u32 port = (__u16)ctx[1];
  /* An address and a data port, by which firmware asks for all that PCI has: a boot makes as many
   * accesses there as an attack elsewhere. */
  bool pci = (port & ~7U) == PCI_CONFIG_PORTS && port != RESET_CONTROL_PORT;
  meter_add(vcpu, pci ? KS_METER_PCI_CONFIG : KS_METER_PIO, (__u32)ctx[3], port);
  if (FLOPPY_FIFO - (port | FLOPPY_SECOND) < 4) on_floppy(vcpu, ctx, port, (__u32)ctx[2]);
  if (port == PVPANIC_PORT && (__u32)ctx[0] == KVM_PIO_OUT) note_pvpanic(vcpu, &ctx[4]);
  __u64 mark = mark_of(vcpu, port);
  if (vcpu->meters[KS_METER_PIO].marked == mark) return;
  struct ks_kvm_sets* sets = sets_of(vcpu);
  if (!sets) return;
  if (!(sets->ports[port / 64] & 1ULL << (port & 63)))
    keep_access(sets->port_accesses, port, (__u32)ctx[2], (__u32)ctx[3]);
  set_port(sets, port);
  vcpu->meters[KS_METER_PIO].marked = mark;
}
KS_TRACEPOINT(kvm_pio, on_pio)
KS_RECORD(kvm_pio, on_pio, ctx->rw, ctx->port, ctx->size, ctx->count,
          (__u64) & (unsigned int){ctx->val})

static __noinline int keep_page(const struct ks_vcpu_row* vcpu, __u64 page, __u32 size) {
  struct ks_kvm_sets* sets = vcpu ? sets_of(vcpu) : 0;
  if (!sets) return 0;
  if (put(sets, sets->mmio_pages, KS_MMIO_PAGES, KS_CHANGED_PAGES, &sets->mmio_overflow, page + 1))
    keep_access(sets->page_accesses, page, size, 1);
  return 0;
}

#define KVM_TRACE_MMIO_READ_UNSATISFIED 0 /* include/trace/events/kvm.h */

/* TP_PROTO(int type, int len, u64 gpa, void *val). A read that user space must answer shows twice,
 * unsatisfied and then as a read: it is one access. */
static __always_inline void on_mmio(const __u64* ctx) {
  if ((__u32)ctx[0] == KVM_TRACE_MMIO_READ_UNSATISFIED) return;
  struct ks_vcpu_row* vcpu = loaded_row();
  if (!vcpu) return;
  meter_add(vcpu, KS_METER_MMIO, 1, ctx[2]);
  /* A page number may have 40 bits, which leaves 24 for the takes. */
  __u64 page = ctx[2] >> KS_PAGE_SHIFT;
  __u64 mark = page << 24 | (mark_of(vcpu, 0) >> 32 & 0xffffff);
  if (vcpu->meters[KS_METER_MMIO].marked == mark) return;
  keep_page(vcpu, page, (__u32)ctx[1]);
  vcpu->meters[KS_METER_MMIO].marked = mark;
}
KS_TRACEPOINT(kvm_mmio, on_mmio)
KS_RECORD(kvm_mmio, on_mmio, ctx->type, ctx->len, ctx->gpa)
