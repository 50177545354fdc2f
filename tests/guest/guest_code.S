/*
 * What the guest executes: 64-bit, ring 0, position independent, copied into guest memory.
 *
 * Registers at entry, set by InitialRegisters():
 *   r15  the vCPU's mailbox: 0(%r15) operations left in this batch, 8(%r15) #GP faults taken
 *   rbp  the loop that this guest runs while there is something left
 *   r8   operations per instruction (1, or the repeat count of string I/O)
 *   r9   the address of an MMIO access, of the string I/O buffer, of the page to be written next, or
 *        the first port or MSR of a sweep
 *   r10  the nanoseconds that a timer is set to, or the end of the pages or of the sweep
 *   rax, rcx, rdx  the operands of the instruction as the architecture wants them
 *
 * A loop is the operation and one decrement of what is left, so the count is the guest's own and
 * lies in memory, where the VMM reads it without asking KVM. Having none left it goes idle, and an
 * idle guest looks at its mailbox after each halt. Because exactly one decrement follows each
 * operation, a VMM that sets "left" to one operation at any point of a loop gets exactly one more
 * decrement: this is how a storm is cut short without losing count.
 */
    .section .rodata.kvmsentry_guest, "a", @progbits
    .balign 16

    .globl kGuestCodeBegin
kGuestCodeBegin:

    .globl kGuestIdle
kGuestIdle:
    cmpq    $0, (%r15)
    jne     1f
    hlt
    jmp     kGuestIdle
1:  jmp     *%rbp

    .macro LOOP name:req, operation:vararg
    .globl  \name
\name:
    \operation
    decq    (%r15)
    jnz     \name
    jmp     kGuestIdle
    .endm

    .macro STRING_LOOP name:req, operation:vararg
    .globl  \name
\name:
    movq    %r8, %rcx
    movq    %r9, %rsi           /* outs reads at rsi, ins writes at rdi */
    movq    %r9, %rdi
    \operation
    subq    %r8, (%r15)
    jnz     \name
    jmp     kGuestIdle
    .endm

    LOOP    kGuestSpin

    LOOP    kGuestOut1, outb %al, %dx
    LOOP    kGuestOut2, outw %ax, %dx
    LOOP    kGuestOut4, outl %eax, %dx
    LOOP    kGuestIn1, inb %dx, %al
    LOOP    kGuestIn2, inw %dx, %ax
    LOOP    kGuestIn4, inl %dx, %eax

    STRING_LOOP kGuestRepOut1, rep outsb
    STRING_LOOP kGuestRepOut2, rep outsw
    STRING_LOOP kGuestRepOut4, rep outsl
    STRING_LOOP kGuestRepIn1, rep insb
    STRING_LOOP kGuestRepIn2, rep insw
    STRING_LOOP kGuestRepIn4, rep insl

    LOOP    kGuestStore1, movb %al, (%r9)
    LOOP    kGuestStore2, movw %ax, (%r9)
    LOOP    kGuestStore4, movl %eax, (%r9)
    LOOP    kGuestStore8, movq %rax, (%r9)
    LOOP    kGuestLoad1, movb (%r9), %al
    LOOP    kGuestLoad2, movw (%r9), %ax
    LOOP    kGuestLoad4, movl (%r9), %eax
    LOOP    kGuestLoad8, movq (%r9), %rax

    LOOP    kGuestWrmsr, wrmsr
    LOOP    kGuestRdmsr, rdmsr

    /* A store to each page in turn, from rdx up to r10. */
    .globl  kGuestWalk
kGuestWalk:
    movb    %al, (%r9)
    addq    $4096, %r9
    cmpq    %r10, %r9
    jb      1f
    movq    %rdx, %r9
1:  decq    (%r15)
    jnz     kGuestWalk
    jmp     kGuestIdle

    /* The operation on each port, or MSR, in turn, from r9 up to r10. */
    .macro SWEEP name:req, register:req, operation:vararg
    .globl  \name
\name:
    \operation
    incq    \register
    cmpq    %r10, \register
    jb      1f
    movq    %r9, \register
1:  decq    (%r15)
    jnz     \name
    jmp     kGuestIdle
    .endm

    SWEEP   kGuestSweepPorts, %rdx, outb %al, %dx
    SWEEP   kGuestSweepMsrs, %rcx, wrmsr

    /* CPUID overwrites its own operand, and rbx, rcx and rdx: nothing of ours may live there. */
    .globl  kGuestCpuid
kGuestCpuid:
    xorl    %eax, %eax
    cpuid
    decq    (%r15)
    jnz     kGuestCpuid
    jmp     kGuestIdle

    /* A hypercall's result overwrites its number. */
    .globl  kGuestHypercall
kGuestHypercall:
    movq    %r10, %rax
    vmmcall
    decq    (%r15)
    jnz     kGuestHypercall
    jmp     kGuestIdle

    /* LSTAR from what is left, of which r10 has the bits; hardware lets it pass. And an exit. */
    .globl  kGuestLstar
kGuestLstar:
    movl    (%r15), %eax
    andl    %r10d, %eax
    wrmsr
    outb    %al, $0x80
    decq    (%r15)
    jnz     kGuestLstar
    jmp     kGuestIdle

    /* CR0.WP is set for 256 operations, and clear for the next; hardware lets it pass. And an exit. */
    .globl  kGuestWriteProtect
kGuestWriteProtect:
    movq    (%r15), %rcx
    andl    $0x100, %ecx
    shll    $8, %ecx
    movq    %cr0, %rax
    andq    $~0x10000, %rax
    orq     %rcx, %rax
    movq    %rax, %cr0
    outb    %al, $0x80
    decq    (%r15)
    jnz     kGuestWriteProtect
    jmp     kGuestIdle

    /* Turns over the bits of CR4 that r10 has. */
    .globl  kGuestControl
kGuestControl:
    movq    %cr4, %rax
    xorq    %r10, %rax
    movq    %rax, %cr4
    decq    (%r15)
    jnz     kGuestControl
    jmp     kGuestIdle

    /*
     * Here the halt is the operation. The decrement comes first, so that the VMM sees "none left"
     * at the last operation itself and N operations are N halts; a halt leaves the flags alone.
     */
    .globl  kGuestHalt
kGuestHalt:
    decq    (%r15)
    hlt
    jnz     kGuestHalt
    jmp     kGuestIdle

    /*
     * Each operation sets the local APIC's timer and halts until its interrupt. The VM's interrupt
     * controllers are in the kernel, where a halt stays: this guest goes idle by a port. x2APIC, so
     * that its registers are MSRs (SDM vol. 3 10.12).
     */
    .macro  SETMSR msr:req, value:req
    movl    $\msr, %ecx
    movl    \value, %eax
    xorl    %edx, %edx
    wrmsr
    .endm

    .globl  kGuestTimerStart
kGuestTimerStart:
    movl    $0x1b, %ecx             /* APIC_BASE: on, x2APIC */
    rdmsr
    orl     $0xc00, %eax
    wrmsr
    SETMSR  0x80f, $0x1ff           /* spurious vector: on */
    SETMSR  0x832, $0x40            /* timer: once, vector 0x40 */
    SETMSR  0x83e, $0xb             /* divided by 1: KVM's bus has 1 GHz */
kGuestTimerIdle:
    cmpq    $0, (%r15)
    jne     kGuestTimer
    outb    %al, $0xf4
    jmp     kGuestTimerIdle

    .globl  kGuestTimer
kGuestTimer:
    SETMSR  0x838, %r10d            /* initial count */
    sti
    hlt
    cli
    decq    (%r15)
    jnz     kGuestTimer
    jmp     kGuestTimerIdle

    .globl  kGuestTimerInterrupt
kGuestTimerInterrupt:
    SETMSR  0x80b, $0               /* end of interrupt */
    iretq

    /*
     * Each operation enters a guest of this guest, whose only instruction comes back at once. r9 is
     * the address of its control block, r10 where the processor saves this guest's state meanwhile.
     */
    .globl  kGuestNestedStart
kGuestNestedStart:
    SETMSR  0xc0010117, %r10d       /* VM_HSAVE_PA */
    jmp     kGuestIdle

    .globl  kGuestNested
kGuestNested:
    movq    %r9, %rax
    vmrun
    decq    (%r15)
    jnz     kGuestNested
    jmp     kGuestIdle

    .globl  kGuestInner
kGuestInner:
    vmmcall

    /*
     * #GP: RDMSR or WRMSR refused, both two bytes long. The gate exists only in guests that access
     * MSRs; elsewhere a #GP is a bug and ends in a triple fault, which the VMM reports.
     * On the stack: error code, rip, cs, rflags, rsp, ss.
     */
    .globl  kGuestGeneralProtection
kGuestGeneralProtection:
    incq    8(%r15)
    addq    $2, 8(%rsp)
    addq    $8, %rsp
    iretq

    .globl kGuestCodeEnd
kGuestCodeEnd:

    .section .note.GNU-stack, "", @progbits
