# What a scenario's `run` has: cgroups of either version, taps, strangers that do things to VMs, libvirt, and waits for
# what the sensor shows.

# A file of group $1 by its name in version 2, or in version 1.
file() {
  if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
    echo "/sys/fs/cgroup/$1/$2"
  else
    case $2 in
      cpu.*) echo "/sys/fs/cgroup/cpu/$1/$2" ;;
      memory.max) echo "/sys/fs/cgroup/memory/$1/memory.limit_in_bytes" ;;
      memory.current) echo "/sys/fs/cgroup/memory/$1/memory.usage_in_bytes" ;;
      *) echo "host.sh: $2 is not known of version 1" >&2; exit 1 ;;
    esac
  fi
}

# join GROUP PID: makes the group if need be.
join() {
  if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
    echo +cpu +memory +io >/sys/fs/cgroup/cgroup.subtree_control
    mkdir -p "/sys/fs/cgroup/$1" && echo "$2" >"/sys/fs/cgroup/$1/cgroup.procs"
  else
    for controller in cpu memory blkio; do
      mkdir -p "/sys/fs/cgroup/$controller/$1" && echo "$2" >"/sys/fs/cgroup/$controller/$1/cgroup.procs"
    done
  fi
}

# limit_to_percent GROUP N: its memory limit becomes what it uses, of which that is N percent.
limit_to_percent() {
  used=$(cat "$(file "$1" memory.current)")
  echo $((used / 4096 * 100 / $2 * 4096)) >"$(file "$1" memory.max)"
}

# tap_of PID: the interface.
tap_of() {
  sed -n 's/^iff:\t//p' /proc/"$1"/fdinfo/*
}

# flood PID ADDRESS COUNT: so many small packets to the tap of the VMM, whose end is given ADDRESS.0/24.
flood() {
  tap=$(tap_of "$1")
  ip address replace "$2.1/24" dev "$tap"
  ip neighbour replace "$2.2" lladdr 52:54:00:00:00:01 dev "$tap"
  bash -c "exec 3>/dev/udp/$2.2/9; dd if=/dev/zero bs=16 count=$3 status=none >&3"
}

# until_used GROUP BYTES: waits until it uses so much memory, and no more than half a second before.
until_used() {
  before=0
  while used=$(cat "$(file "$1" memory.current)"); [ "$used" -lt "$2" ] || [ "$used" -ne "$before" ]; do
    before=$used
    sleep 0.5
  done
}

# keep_on CPU PID: all its threads.
keep_on() {
  taskset -acp "$1" "$2" >/dev/null
}

# until_ran PID SECONDS: waits until its threads have had so much of the CPUs.
until_ran() {
  while [ "$(awk '{ print int(($14 + $15) / 100) }' "/proc/$1/stat")" -lt "$2" ]; do sleep 0.5; done
}

# in_group GROUP COMMAND...: as a helper of its VM would.
in_group() {
  group=$1
  shift
  (
    join "$group" "$(exec sh -c 'echo $PPID')"
    "$@"
  )
}

# behind COMMAND...: while the scenario goes on.
behind() {
  (
    exec >/dev/null 2>&1
    "$@"
  ) &
}

# read_again GROUP TIMES: a helper in it reads 32 MiB of a disk so often, or until $TMPDIR/read-GROUP goes. It holds the
# disk open: whoever closes it last drops its pages.
read_again() {
  truncate -s 32M "$TMPDIR/read-$1"
  disk=$(losetup -f --show "$TMPDIR/read-$1")
  in_group "$1" sh -c "exec 3<$disk; for i in \$(seq $2); do test -e $TMPDIR/read-$1 && cat $disk; done >/dev/null"
}

# reach_into PID [TIMES]: reads its memory, as a debugger would, by process_vm_readv.
reach_into() {
  reach_into_as /usr/bin/python3 "$@"
}

# reach_into_as PROGRAM PID [TIMES]: the same by PROGRAM, a Python.
reach_into_as() {
  PYTHONHOME=/usr "$1" - "$2" "${3:-1}" <<'PYTHON'
import ctypes, sys
pid, times = int(sys.argv[1]), int(sys.argv[2])
start = next(int(line.split("-")[0], 16) for line in open(f"/proc/{pid}/maps"))
class Iovec(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("len", ctypes.c_size_t)]
libc = ctypes.CDLL(None, use_errno=True)
buffer = ctypes.create_string_buffer(16)
here, there = Iovec(ctypes.addressof(buffer), 16), Iovec(start, 16)
for _ in range(times):
    if libc.process_vm_readv(pid, ctypes.byref(here), 1, ctypes.byref(there), 1, 0) != 16:
        sys.exit(f"process_vm_readv: errno {ctypes.get_errno()}")
PYTHON
}

# reach_by WAY PID: reaches into the process once. WAY: writev, of process_vm_writev; mem, of /proc/PID/mem; attach, of
# ptrace; getfd, of pidfd_getfd; run, which takes a vCPU's descriptor and tries KVM_RUN, which KVM must refuse with EIO.
# The first two write zeros to the far end of the process's stack, which is not in use.
reach_by() {
  /usr/bin/python3 - "$1" "$2" <<'PYTHON'
import ctypes, errno, os, sys
way, pid = sys.argv[1], int(sys.argv[2])
PTRACE_ATTACH, PTRACE_DETACH, NR_PIDFD_GETFD, KVM_RUN = 16, 17, 438, 0xae80
WALL = 0x40000000
libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
libc.ptrace.restype = ctypes.c_long
def check(what, done):
    if not done:
        sys.exit(f"{what}: errno {ctypes.get_errno()}")
class Iovec(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("len", ctypes.c_size_t)]
def stack():
    return next(int(line.split("-")[0], 16) for line in open(f"/proc/{pid}/maps") if line.endswith("[stack]\n"))
if way == "writev":
    zeros = ctypes.create_string_buffer(16)
    here, there = Iovec(ctypes.addressof(zeros), 16), Iovec(stack(), 16)
    check(way, libc.process_vm_writev(pid, ctypes.byref(here), 1, ctypes.byref(there), 1, 0) == 16)
elif way == "mem":
    memory = os.open(f"/proc/{pid}/mem", os.O_WRONLY)
    check(way, os.pwrite(memory, bytes(16), stack()) == 16)
elif way == "attach":
    # It stops, as who debugs it waits for, and goes on as if nothing had been.
    check(way, libc.ptrace(PTRACE_ATTACH, pid, None, None) == 0)
    os.waitpid(pid, WALL)
    check(way, libc.ptrace(PTRACE_DETACH, pid, None, None) == 0)
elif way == "getfd":
    process = os.pidfd_open(pid)
    check(way, libc.syscall(NR_PIDFD_GETFD, process, 0, 0) >= 0)
elif way == "run":
    vcpu = next(int(fd) for fd in os.listdir(f"/proc/{pid}/fd")
                if os.readlink(f"/proc/{pid}/fd/{fd}").startswith("anon_inode:kvm-vcpu"))
    taken = libc.syscall(NR_PIDFD_GETFD, os.pidfd_open(pid), vcpu, 0)
    check(way, taken >= 0)
    check(way, libc.ioctl(taken, KVM_RUN, 0) < 0 and ctypes.get_errno() == errno.EIO)
else:
    sys.exit(f"host.sh: no way {way}")
PYTHON
}

# make_ifup FILE: a network script of QEMU's. It sets up the tap that it is given, and notes that in FILE.ran.
make_ifup() {
  cat >"$1" <<'SCRIPT'
#!/bin/sh
ip link set "$1" up && ip -o link show "$1" >>"$0.ran"
SCRIPT
  chmod +x "$1"
}

# handle_faults SOCKET: gets one page of whoever serves there, and what handles its faults, and fills it with zeros.
handle_faults() {
  /usr/bin/python3 - "$1" <<'PYTHON'
import fcntl, socket, struct, sys
UFFDIO_ZEROPAGE = 0xC020AA04
server = socket.socket(socket.AF_UNIX)
server.connect(sys.argv[1])
page, (handler,), _, _ = socket.recv_fds(server, 8, 1)
fcntl.ioctl(handler, UFFDIO_ZEROPAGE, struct.pack("=QQQq", struct.unpack("=Q", page)[0], 4096, 0, 0))
PYTHON
}

# listen_at SOCKET: for one client, for a minute.
listen_at() {
  rm -f "$1"
  timeout 60 /usr/bin/python3 -c 'import socket, sys
server = socket.socket(socket.AF_UNIX)
server.bind(sys.argv[1])
server.listen()
server.accept()' "$1"
}

# connect_to PROGRAM SOCKET: by PROGRAM, a Python.
connect_to() {
  PYTHONHOME=/usr "$1" -c 'import socket, sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1])' "$2"
}

# hear_guest FILE: answers datagrams to port 53 of this host, that no name is known, and hears a connection to port 9, as
# what a user-mode network does for its guest leads there. FILE is there from when it listens until both have come, at most
# two minutes.
hear_guest() {
  timeout 120 /usr/bin/python3 -c 'import os, select, socket, sys
look_up, call = socket.socket(type=socket.SOCK_DGRAM), socket.socket()
look_up.bind(("127.0.0.1", 53))
call.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
call.bind(("127.0.0.1", 9))
call.listen()
open(sys.argv[1], "w").close()
asked = called = False
while not (asked and called):
    for ready in select.select([look_up, call], [], [])[0]:
        if ready is look_up:
            query, guest = look_up.recvfrom(512)
            look_up.sendto(query[:2] + b"\x81\x83" + query[4:6] + bytes(6) + query[12:], guest)
            asked = True
        else:
            call.accept()[0].close()
            called = True
os.remove(sys.argv[1])' "$1"
}

# help_as_passt VM COMMANDS: a process that looks like the helper of the VM's network card does COMMANDS, of bash, once
# it is let go.
help_as_passt() {
  mkfifo "$TMPDIR/$1.go"
  cp /bin/bash "$TMPDIR/passt" 2>/dev/null || true
  setsid "$TMPDIR/passt" -c "read -t 300 <>'$TMPDIR/$1.go'; $2; :" passt "$TMPDIR/$1.sock" </dev/null >/dev/null 2>&1 &
}

# let_go VM: its helper.
let_go() {
  echo >"$TMPDIR/$1.go"
}

# of_libvirt COMMAND...: virsh.
of_libvirt() {
  virsh -q -c qemu:///system "$@"
}

# patch_host, unpatch_host: while it is patched, its kernel says so in /proc/cmdline.
patch_host() {
  busybox insmod "$KVMSENTRY_LAB_KERNEL/livepatch.ko"
  grep -q 'live patched' /proc/cmdline
}
unpatch_host() {
  echo 0 >/sys/kernel/livepatch/livepatch/enabled
  for _ in $(seq 600); do # until no task is in a patched function
    busybox rmmod livepatch 2>/dev/null && ! grep -q 'live patched' /proc/cmdline && return
    sleep 0.1
  done
  echo "host.sh: the live patch stays" >&2
  exit 1
}

# name_of VM: as the host knows it.
name_of() {
  eval echo "\$NAME_$(echo "$1" | tr - _)"
}

# until_client WHAT TRIES PAUSE COMMAND...: waits until the client shows a line that fits WHAT, and PAUSE seconds between
# two tries: a client is what costs most where the processor is emulated.
until_client() {
  what=$1 tries=$2 pause=$3
  shift 3
  for _ in $(seq "$tries"); do
    $CLIENT "$@" | grep -qE "$what" && return
    sleep "$pause"
  done
  echo "host.sh: kvmsentry $* shows no $what: $($CLIENT "$@")" >&2
  exit 1
}

# until_shows VM WHAT: waits until the client's page of the VM has a line that fits WHAT.
until_shows() {
  until_client "$2" 120 0.5 vms "$(name_of "$1")"
}

# until_seen VM FEATURE WHAT: waits until the sensor has seen a member of the set that fits WHAT.
until_seen() {
  until_client "$3" 120 0.5 members "$(name_of "$1")" "$2"
}

# never_seen VM FEATURE WHAT: fails if the sensor has seen a member of the set that fits WHAT.
never_seen() {
  ! $CLIENT members "$(name_of "$1")" "$2" | grep -E "$3" >&2 && return
  echo "host.sh: $2 of $1 has $3" >&2
  exit 1
}

# until_given VM WHAT: waits until the sensor knows that it was given something that fits WHAT.
until_given() {
  until_shows "$1" "$2"
}

# until_settled VM: waits until the VM has been watched for so long that what it has now counts as what it had at first
# (EntitlementSource::kConfinesItselfForNs).
until_settled() {
  until_client 'since .*\((4[89]s|5[0-9]s|[0-9]+m)\)' 40 3 vms "$(name_of "$1")"
}

# until_has_disk VM: the same of the image that kvmsentry-test-vmm holds.
until_has_disk() {
  until_given "$1" 'disk-[0-9]*\.img'
}
