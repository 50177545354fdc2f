/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Whom a VM's processes talk to: the TCP connections that they make or wait for, and the peers of
 * their datagrams. A helper whose work is the network does so for its guest, and so does a VMM that
 * was given a network of its own (ks_network).
 */
#include "bpf/vmm/act.bpf.h"
/* after the maps that they count in: */
#include "bpf/function.bpf.h"

KS_LICENSE;

#define KS_TCP_SYN_SENT 2 /* include/net/tcp_states.h */
#define KS_TCP_LISTEN 10

/* ---- connections ---------------------------------------------------------------------------- */

/* TP_PROTO(const struct sock *sk, const int oldstate, const int newstate),
 * include/trace/events/sock.h. Both states are entered by the process that asks for them. A
 * connection has its address by then; a listener that was not bound gets its port afterwards
 * (inet_csk_listen_start, net/ipv4/inet_connection_sock.c). */
static __always_inline void on_state(const __u64* ctx) {
  int state = (int)ctx[2];
  if (state != KS_TCP_SYN_SENT && state != KS_TCP_LISTEN) return;
  bool listens = state == KS_TCP_LISTEN;
  struct ks_owner owner = {};
  struct ks_vmm_vm_row* row = acting_row(&owner, KS_ROLE_NET_HELPER);
  if (!row || (!listens && carries_network(&owner, KS_NETWORK_USER))) return;
  struct ks_vmm_act* record = begin_act(row, &owner, listens ? KS_ACT_LISTENER : KS_ACT_CONNECTION);
  if (!record) return;
  const struct sock* sk = (const struct sock*)ctx[0];
  record->family = BPF_CORE_READ(sk, __sk_common.skc_family);
  record->port = listens ? BPF_CORE_READ(sk, __sk_common.skc_num)
                         : __builtin_bswap16(BPF_CORE_READ(sk, __sk_common.skc_dport));
  if (record->family == KS_AF_INET) {
    __u32 address = listens ? BPF_CORE_READ(sk, __sk_common.skc_rcv_saddr)
                            : BPF_CORE_READ(sk, __sk_common.skc_daddr);
    __builtin_memcpy(record->address, &address, sizeof(address));
  } else if (record->family == KS_AF_INET6) {
    bpf_core_read(record->address, sizeof(record->address),
                  listens ? &sk->__sk_common.skc_v6_rcv_saddr : &sk->__sk_common.skc_v6_daddr);
  }
  submit_act(record);
}
KS_TRACEPOINT(inet_sock_set_state, on_state)

/* ---- datagrams ------------------------------------------------------------------------------ */

/* struct sockaddr_in, include/uapi/linux/in.h, and sockaddr_in6, in6.h, to the address. */
struct ks_sockaddr_in {
  __u16 family;
  __u16 port; /* in network order */
  __u32 address;
};
struct ks_sockaddr_in6 {
  __u16 family;
  __u16 port;
  __u32 flow;
  __u32 address[4];
};
#define KS_SOCKADDR_IN_SIZE 16

/* ::ffff:0:0/96 */
static __always_inline bool is_mapped(const __u32* address) {
  return !address[0] && !address[1] && address[2] == 0xffff0000;
}

/* Whom a message of udp_sendmsg is for: where it names nobody, the peer that the socket is
 * connected to. A name is in the kernel's memory by now, and of the family AF_UNSPEC as good. */
static __always_inline bool read_peer(struct sock* sk, struct msghdr* message,
                                      struct ks_peer* peer) {
  struct ks_sockaddr_in name = {.family = KS_AF_INET};
  void* address = BPF_CORE_READ(message, msg_name);
  if (!address) {
    name.port = BPF_CORE_READ(sk, __sk_common.skc_dport);
    name.address = BPF_CORE_READ(sk, __sk_common.skc_daddr);
  } else if (BPF_CORE_READ(message, msg_namelen) < KS_SOCKADDR_IN_SIZE ||
             bpf_probe_read_kernel(&name, sizeof(name), address)) {
    return false;
  }
  if (name.family != KS_AF_INET && name.family != KS_AF_UNSPEC) return false;
  peer->family = KS_AF_INET;
  peer->port = __builtin_bswap16(name.port);
  peer->address[0] = name.address;
  return peer->port;
}

/* The same of udpv6_sendmsg, which hands to udp_sendmsg what goes by IPv4, and takes AF_UNSPEC for
 * no name. */
static __always_inline bool read_peer6(struct sock* sk, struct msghdr* message,
                                       struct ks_peer* peer) {
  struct ks_sockaddr_in6 name = {};
  void* address = BPF_CORE_READ(message, msg_name);
  if (address && bpf_probe_read_kernel(&name, sizeof(name), address)) return false;
  if (name.family == KS_AF_UNSPEC) {
    name.family = KS_AF_INET6;
    name.port = BPF_CORE_READ(sk, __sk_common.skc_dport);
    bpf_core_read(name.address, sizeof(name.address), &sk->__sk_common.skc_v6_daddr);
  }
  if (name.family != KS_AF_INET6 || is_mapped(name.address)) return false;
  peer->family = KS_AF_INET6;
  peer->port = __builtin_bswap16(name.port);
  __builtin_memcpy(peer->address, name.address, sizeof(peer->address));
  return peer->port;
}

/* The place of PEER among those of the VM. */
static __always_inline struct ks_peer* place_of(struct ks_vmm_vm_row* row,
                                                const struct ks_peer* peer) {
  __u32 place = (peer->address[0] ^ peer->address[3] ^ peer->port) * 0x9e3779b9U >> 16;
  barrier_var(place); /* else the compiler drops the mask that the verifier needs */
  return &row->peers[place & (KS_PEERS - 1)];
}

/* Each datagram has its peer, and a second one to the same soon after tells nothing new. */
static __always_inline bool is_told(const struct ks_peer* told, const struct ks_peer* peer,
                                    __u64 now) {
  return now - told->told_ns < KS_SECOND_NS && told->family == peer->family &&
         told->port == peer->port && told->address[0] == peer->address[0] &&
         told->address[1] == peer->address[1] && told->address[2] == peer->address[2] &&
         told->address[3] == peer->address[3];
}

static __always_inline void on_datagram(const __u64* arguments, bool of_ipv6) {
  struct ks_owner owner = {};
  struct ks_vmm_vm_row* row = acting_row(&owner, KS_ROLE_NET_HELPER);
  if (!row || carries_network(&owner, KS_NETWORK_USER | KS_NETWORK_DATAGRAM)) return;
  struct sock* sk = (struct sock*)arguments[0];
  struct msghdr* message = (struct msghdr*)arguments[1];
  struct ks_peer peer = {};
  if (of_ipv6 ? !read_peer6(sk, message, &peer) : !read_peer(sk, message, &peer)) return;
  struct ks_peer* told = place_of(row, &peer);
  peer.told_ns = bpf_ktime_get_ns();
  if (is_told(told, &peer, peer.told_ns)) return;
  struct ks_vmm_act* record = begin_act(row, &owner, KS_ACT_DATAGRAM);
  if (!record) return;
  record->family = peer.family;
  record->port = peer.port;
  __builtin_memcpy(record->address, peer.address, sizeof(record->address));
  submit_act(record);
  *told = peer;
}

/* int udp_sendmsg(struct sock *sk, struct msghdr *msg, size_t len), net/ipv4/udp.c */
static __always_inline void on_send(const __u64* arguments, bool typed) {
  (void)typed;
  on_datagram(arguments, false);
}
KS_FUNCTION_ENTRY(udp_sendmsg, on_send)

/* The same of net/ipv6/udp.c. */
static __always_inline void on_send6(const __u64* arguments, bool typed) {
  (void)typed;
  on_datagram(arguments, true);
}
KS_FUNCTION_ENTRY(udpv6_sendmsg, on_send6)
