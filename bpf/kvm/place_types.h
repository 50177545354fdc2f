/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The kernel's types of where a VMM is on its host: taps, namespaces, cgroups. As
 * bpf/kernel_types.h. */
#pragma once

#include "bpf/kernel_types.h"

struct ns_common {
  unsigned int inum;
} KS_CORE;

struct net {
  struct ns_common ns;
} KS_CORE;

struct possible_net { /* possible_net_t */
  struct net* net;
} KS_CORE;

struct list_head {
  struct list_head* next;
} KS_CORE;

struct kvm___ioeventfds {
  struct list_head ioeventfds;
} KS_CORE;

struct _ioeventfd {
  struct list_head list;
  __u64 addr;
  int length;
  __u8 bus_idx;
} KS_CORE;

struct net_device {
  char name[16];
  int ifindex;
  struct possible_net nd_net;
} KS_CORE;

struct tun_struct {
  struct net_device* dev;
} KS_CORE;

struct socket {
  struct file* file;
} KS_CORE;

struct tun_file {
  struct socket socket;
  struct tun_struct* tun;
} KS_CORE;

struct kernfs_node {
  __u64 id;
} KS_CORE;

struct cgroup {
  struct kernfs_node* kn;
} KS_CORE;

struct css_set {
  struct cgroup* dfl_cgrp; /* in the unified hierarchy */
} KS_CORE;

struct task_struct___place {
  struct css_set* cgroups;
} KS_CORE;
