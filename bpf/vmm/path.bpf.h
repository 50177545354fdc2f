/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The path of an open file, as d_path() would tell it from the root of all mounts (fs/d_path.c).
 * bpf_d_path() is there for few of the hooks that need it.
 */
#pragma once

#include "bpf/vmm/act.bpf.h"
#include "bpf/vmm/files.bpf.h"

#define KS_PATH_PARTS 16
#define KS_PATH_STEPS 1024 /* parts, and mounts over each other */
#define KS_PART_SIZE 64

struct ks_path {
  struct dentry* parts[KS_PATH_PARTS]; /* a ring: of the file's way up the last ones */
  __u32 depth;
  bool ended;            /* the root was reached */
  bool given;            /* it leads over a folder that the VM was given, its guest's to fill */
  __u64 vm_serial;       /* of that VM */
  struct dentry* dentry; /* where the way up has come to ... */
  struct mount* mount;   /* ... and in which mount */
};

/* Whether DENTRY is something that the VM was given to use as it likes, alone or with others. */
static __always_inline bool is_given(struct dentry* dentry, __u64 vm_serial) {
  struct inode* inode = BPF_CORE_READ((struct dentry___inode*)dentry, d_inode);
  if (!inode) return false;
  struct super_block* fs = BPF_CORE_READ(inode, i_sb);
  struct ks_owner_key key = {.kind = KS_OWNER_FILE,
                             .id = {BPF_CORE_READ(fs, s_dev), BPF_CORE_READ(inode, i_ino)}};
  const struct ks_owner* owner = owner_of_file(&key, BPF_CORE_READ(inode, i_generation));
  return owner && (owner->several || owner->serial == vm_serial);
}

/* One step up; not 0: the last one. */
static long step_up(__u32 step, struct ks_path* path) {
  (void)step;
  struct dentry* dentry = path->dentry;
  struct mount* mount = path->mount;
  struct dentry* parent = BPF_CORE_READ((struct dentry___parent*)dentry, d_parent);
  path->given = is_given(dentry, path->vm_serial);
  if (path->given) return 1;
  if (dentry == BPF_CORE_READ(mount, mnt.mnt_root) || dentry == parent) {
    struct mount* below = BPF_CORE_READ(mount, mnt_parent);
    path->dentry = BPF_CORE_READ(mount, mnt_mountpoint);
    path->mount = below;
    path->ended = below == mount;
    return path->ended;
  }
  path->parts[path->depth & (KS_PATH_PARTS - 1)] = dentry;
  path->depth++;
  path->dentry = parent;
  return 0;
}

struct ks_path_text {
  const struct ks_path* path;
  struct ks_vmm_act* record;
  __u32 at;
};

/* The next part, from the root on: these decide what a file is. What is beyond the record's room
 * is cut. */
static long write_part(__u32 step, struct ks_path_text* text) {
  const struct ks_path* path = text->path;
  struct ks_vmm_act* record = text->record;
  __u32 depth = path->depth, at = text->at;
  if (step >= depth) return 1;
  if (step >= KS_PATH_PARTS || at >= sizeof(record->text) - KS_PART_SIZE) {
    record->cut |= KS_CUT_END;
    return 1;
  }
  record->text[at] = '/';
  struct dentry* dentry = path->parts[(depth - 1 - step) & (KS_PATH_PARTS - 1)];
  const unsigned char* name = BPF_CORE_READ(dentry, d_name.name);
  long size = bpf_probe_read_kernel_str(record->text + at + 1, KS_PART_SIZE, name);
  if (size == KS_PART_SIZE) record->cut |= KS_CUT_END;
  text->at = at + (size > 0 ? size : 1); /* with the slash, less the 0 at its end */
  return 0;
}
