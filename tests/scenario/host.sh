# What a scenario's `run` has: cgroups of either version, by a name, and a VM's tap.

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
