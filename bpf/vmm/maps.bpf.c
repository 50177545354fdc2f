/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The maps of the source vmm, without a program: user space makes them before it loads any. */
#include "bpf/vmm/maps.bpf.h"

KS_LICENSE;
