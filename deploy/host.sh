# Sourced: what this host must offer, said in one line where it does not, and mounted where it can be.

fail() {
  echo "$(basename "$0"): $*" >&2
  exit 1
}

require_root() {
  [[ $EUID -eq 0 ]] || fail "needs root to load BPF programs; run it as root"
}

require_kvm() {
  [[ -c /dev/kvm ]] ||
    fail "/dev/kvm is missing; load kvm_intel or kvm_amd, or enable (nested) virtualisation${1:+, or $1}"
}

require_btf() {
  [[ -r /sys/kernel/btf/vmlinux ]] ||
    fail "/sys/kernel/btf/vmlinux is missing; boot a kernel built with CONFIG_DEBUG_INFO_BTF"
}

mount_if_missing() { # TYPE FOLDER NAME-OF-stat
  [[ $(stat -f -c %T "$2" 2>/dev/null) == "$3" ]] && return
  mkdir -p "$2" 2>/dev/null || true
  mount -t "$1" "$1" "$2" || fail "$2: cannot mount $1 there; mount -t $1 $1 $2"
  echo "$(basename "$0"): mounted $1 on $2" >&2
}

prepare_host() { # [--without-kvm | WHAT-ELSE-TO-DO-WITHOUT]
  require_root
  if [[ ${1:-} != --without-kvm ]]; then require_kvm "${1:-}"; fi
  require_btf
  mount_if_missing bpf /sys/fs/bpf bpf_fs
  mount_if_missing tracefs /sys/kernel/tracing tracefs
}
