/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The types of the contract (bpf/records.h), for both languages. */
#pragma once

#ifdef __cplusplus

#include <cstdint>
#define KS_STATIC_ASSERT(condition) static_assert(condition)
#else

#include <linux/types.h>
#define KS_STATIC_ASSERT(condition) _Static_assert(condition, #condition)
typedef __u8 uint8_t;
typedef __u16 uint16_t;
typedef __u32 uint32_t;
typedef __u64 uint64_t;
typedef __s64 int64_t;
#endif
