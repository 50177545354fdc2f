# shellcheck shell=bash
# Which files of a kernel's modules are to be loaded, for the initrds of the lab and of its guests.

# What the lab has beside KVM.
# shellcheck disable=SC2034  # of whoever sources this
lab_modules=(vhost_net vhost_vsock vfio vfio-pci vfio_iommu_type1 tun bridge cls_bpf sch_ingress loop virtio_blk dm-mod dm-delay)

# module_files FOLDER MODULE...: the files below FOLDER, which has modules.dep, that MODULEs are made of, each after those
# that it needs. None of a module that is built in.
module_files() {
  local folder=$1 module
  shift
  for module in "$@"; do with_needs "$folder" "$module"; done | awk '!seen[$0]++'
}

with_needs() { # FOLDER MODULE
  local line need
  line=$(grep -E "/${2//_/[-_]}\.ko:" "$1/modules.dep") || return 0
  for need in ${line#*:}; do
    need=${need##*/}
    with_needs "$1" "${need%.ko}"
  done
  echo "${line%%:*}"
}
