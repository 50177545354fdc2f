/*
 * What the guest executes: 64-bit, ring 0, position independent, copied into guest memory.
 *
 * Registers at entry, set by InitialRegisters():
 *   r15  the vCPU's mailbox: 0(%r15) operations left in this batch, 8(%r15) #GP faults taken
 *   rbp  the loop that this guest runs while there is something left
 *   r8   operations per instruction (1, or the repeat count of string I/O)
 *   r9   the address of an MMIO access, or of the string I/O buffer
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

    /* CPUID overwrites its own operand, and rbx, rcx and rdx: nothing of ours may live there. */
    .globl  kGuestCpuid
kGuestCpuid:
    xorl    %eax, %eax
    cpuid
    decq    (%r15)
    jnz     kGuestCpuid
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
