// Answers DNS questions at tc ingress, when the daemon holds a fresh answer to them and has put it into the map `answers`
// (src/kernel/shadow.ts). Everything else goes on untouched: in doubt TC_ACT_UNSPEC, and always before the first write.
// docs/decisions/0055 says what it may answer, and why. Layouts: src/kernel/layout.ts has the same, in the same order.
//
// Written for the verifier as it judges a program without CAP_PERFMON: the families apart, so that offsets into the packet are
// constants, loops unrolled, variable offsets only as arguments of helpers. No function that is not inlined, no data of its own: the
// build fails on any relocation but those of the maps (build-kernel.ts).
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/pkt_cls.h>
#include <linux/udp.h>

#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("clang loop unroll(full)")
// Hides what the compiler knows about a value: with it a loop's end depends on the value, and is not unrolled.
#define HIDE(x) __asm__ volatile("" : "+r"(x))
// A length from 1 to `max`, a power of two, in a form that the verifier of every kernel understands. Changes no length in these bounds.
#define LENGTH(x, max) ({ __u64 less_ = (__u64)(x) - 1; HIDE(less_); (less_ & ((max) - 1)) + 1; })
#define BE16(x) ((__u16)__builtin_bswap16(x))

// Numbers of the kernel's helpers (bpf-helpers(7)).
static void *(*map_lookup)(void *map, const void *key) = (void *)BPF_FUNC_map_lookup_elem;
static __u64 (*boot_ns)(void) = (void *)BPF_FUNC_ktime_get_boot_ns;
static __u32 (*random32)(void) = (void *)BPF_FUNC_get_prandom_u32;
static long (*load_bytes)(struct __sk_buff *, __u32 at, void *to, __u32 len) = (void *)BPF_FUNC_skb_load_bytes;
static long (*store_bytes)(struct __sk_buff *, __u32 at, const void *from, __u32 len, __u64 flags) = (void *)BPF_FUNC_skb_store_bytes;
static long (*pull_data)(struct __sk_buff *, __u32 len) = (void *)BPF_FUNC_skb_pull_data;
static long (*change_tail)(struct __sk_buff *, __u32 len, __u64 flags) = (void *)BPF_FUNC_skb_change_tail;
static long (*change_type)(struct __sk_buff *, __u32 type) = (void *)BPF_FUNC_skb_change_type;
static long (*l4_csum_replace)(struct __sk_buff *, __u32 at, __u64 from, __u64 to, __u64 flags) = (void *)BPF_FUNC_l4_csum_replace;
static long (*redirect_peer)(__u32 ifindex, __u64 flags) = (void *)BPF_FUNC_redirect_peer;

enum { NAME_WORDS = 32, RECORDS_MAX = 12, TTLS_NEAR = 2, ANSWER_BYTES_MAX = 512, RECORD_BYTES_MAX = 28, TURNED_MAX = 16 };
// What is read of the query begins so far before the name: it ends with the name's tail, and the last 23 bytes are always in it.
enum { BEFORE_NAME = 24, RECORDS_END = ANSWER_BYTES_MAX };
// Of a query: either family, without EDNS, with OPT, with OPT and cookie.
enum { SHAPES = 6 };
enum { HEADER = 12, SUFFIX = 4, OPT_FIXED = 11, OPT_COOKIE = 23 };
enum { FLAG_RD = 0x0100, FLAG_AD = 0x0020 };
enum count { COUNT_HIT, COUNT_UNKNOWN, COUNT_OLD, COUNT_ODD, COUNT_UNLEASED, COUNT_LARGE, COUNT_TORN };

struct settings {
  __u64 lease_ns;    // no answer after this (CLOCK_BOOTTIME)
  __u64 seed;        // secret: pods choose names, and must not choose which share a hash
  __u64 multiplier;  // odd
  __u32 reply_bytes_max;
  __u32 servers;     // number of served addresses
};
struct address { __u32 ip[4]; __u16 port, zero; }; // IPv4 as ::ffff:0:0/96; network order
struct key { __u64 hash; __u16 qtype, name_bytes; __u32 zero; };
struct ttl { __u32 seconds; __u16 at, zero; };
// With the kernel's 72 bytes before it an answer fills a KiB, sixteen cache lines. What a short name and a short answer need is in the first two
// and the last two, which come in pairs: with 100,000 names each line is one from memory.
struct answer {
  __u64 generation;       // another one for each write; `generation_end` is equal when the copy is whole
  __u64 name[NAME_WORDS]; // folded, zeros behind it
  struct ttl more[RECORDS_MAX - TTLS_NEAR]; // of the records after those in `ttls`
  __u8 unused[32];
  __u8 bytes[ANSWER_BYTES_MAX]; // at the end of it
  __u64 stored_ns, expires_ns;
  __u32 slot;             // rows of `uses`: slot, server, shape
  __u16 flags;            // of the reply, without RD; network order, as the counts
  __u16 ancount, nscount, arcount;
  __u16 answer_bytes;     // all records
  __u16 sum;              // one's complement sum of them, TTLs as zeros, from an even offset
  __u16 records;
  __u16 turned_at, turned_bytes, turned; // records that take turns: where, bytes of one, how many; 0: none do
  struct ttl ttls[TTLS_NEAR]; // at storing; `at` is relative to the records
  __u64 generation_end;
};
// Twice as large as what is in them: the verifier adds an offset's bound to a length's.
struct scratch {
  __u64 query[68];       // from BEFORE_NAME bytes before the name on
  struct answer answer;  // all but its name and bytes
  __u8 reply[4 * ANSWER_BYTES_MAX]; // records, which end at RECORDS_END, TTLs as they are now; then perhaps OPT
};

// Undefined on purpose: the loader writes the maps' descriptors over these (src/kernel/program.ts).
extern char settings_map, addresses_map, ports_map, answers_map, uses_map, counts_map, scratch_map;

INLINE void count(__u32 what) {
  __u64 *slot = map_lookup(&counts_map, &what);
  if (slot) *slot += 1;
}

INLINE int pass(__u32 why) {
  count(why);
  return TC_ACT_UNSPEC;
}

// Lower case of A to Z in each of eight bytes. Length bytes are below 64 and no letters.
INLINE __u64 folded(__u64 v) {
  __u64 low = v & 0x7f7f7f7f7f7f7f7fULL;
  __u64 letters = (low + 0x3f3f3f3f3f3f3f3fULL) & ~(low + 0x2525252525252525ULL) & ~v & 0x8080808080808080ULL;
  return v | (letters >> 2);
}

INLINE __u32 fold16(__u32 sum) {
  sum = (sum & 0xffff) + (sum >> 16);
  return (sum & 0xffff) + (sum >> 16);
}

// A sum of bytes that begin at an odd offset (RFC 1071 2 (B)).
INLINE __u32 at_parity(__u32 sum, __u32 offset) {
  // Without a branch: each would double what the verifier has to follow.
  __u64 turned = fold16(sum), by = (offset & 1) * 8;
  HIDE(by);
  return (turned << by | turned >> (16 - by)) & 0xffff;
}

struct question {
  __u32 name_bytes;
  __u32 opt_bytes;  // 0: no EDNS
  __u32 opt_sum;    // of the query's OPT, at its offset
  __u32 reply_max;
  __u32 flags, arcount; // of the query, network order
};

// The OPT record must be the last: root, version 0, without DO, and without options or with one of eight bytes (a cookie, which is ignored).
INLINE int read_opt(struct scratch *scratch, __u32 tail_bytes, struct question *q) {
  // The last 23 bytes of the packet; at least the header's end precedes the name.
  __u8 *opt = (__u8 *)scratch->query + ((BEFORE_NAME + tail_bytes - OPT_COOKIE) & 511);
  __u32 size, version, is_do, sum = 0;
  if (opt[12] == 0 && opt[13] == 0 && opt[14] == 41 && opt[21] == 0 && opt[22] == 0) {
    q->opt_bytes = OPT_FIXED;
    size = opt[15] << 8 | opt[16], version = opt[18], is_do = opt[19] & 0x80;
  } else if (opt[0] == 0 && opt[1] == 0 && opt[2] == 41 && opt[9] == 0 && opt[10] == 12 && opt[13] == 0 && opt[14] == 8) {
    q->opt_bytes = OPT_COOKIE;
    size = opt[3] << 8 | opt[4], version = opt[6], is_do = opt[7] & 0x80;
    UNROLL for (int i = 0; i < 6; i++) sum += *(__u16 *)(opt + 2 * i);
  } else return -1;
  if (version || is_do) return -1;
  UNROLL for (int i = 6; i < 11; i++) sum += *(__u16 *)(opt + 2 * i);
  sum += opt[22];
  q->opt_sum = at_parity(sum, tail_bytes - OPT_COOKIE);
  if (size < 512) size = 512;
  if (size < q->reply_max) q->reply_max = size;
  return 0;
}

// r2 = atomic_fetch_add(r1, r2), a full barrier on every architecture. As bytes, because the compiler has it only together with 32-bit
// registers, and values of those are spilled over half a slot, which the verifier refuses without CAP_PERFMON.
INLINE void fence(__u64 *any) {
  register __u64 *to __asm__("r1") = any;
  register __u64 zero __asm__("r2") = 0;
  __asm__ volatile(".quad 0x00000001000021db" : "+r"(zero) : "r"(to) : "memory");
}

// @param i a constant where it is called
INLINE struct ttl *ttl_of(struct answer *answer, int i) { return i < TTLS_NEAR ? &answer->ttls[i] : &answer->more[i - TTLS_NEAR]; }

// Copies an answer that may be changed meanwhile: the kernel uses the memory of a replaced element again at once.
// @returns whether the copy is whole
INLINE int copied(struct scratch *scratch, struct answer *from, struct key *key) {
  struct answer *to = &scratch->answer;
  // What is read below, fetched into the cache together: nothing behind the fence begins before it.
  *(volatile __u64 *)(from->bytes + ANSWER_BYTES_MAX - 64);
  __u64 generation = *(volatile __u64 *)&from->generation_end;
  // The loads below come after that one.
  fence(&to->generation);
  __u32 bytes = from->answer_bytes;
  if (bytes > ANSWER_BYTES_MAX) return 0;
  __builtin_memcpy(&to->stored_ns, &from->stored_ns, 40);
  UNROLL for (int i = 0; i < RECORDS_MAX; i++) {
    if (i >= from->records) break;
    *ttl_of(to, i) = *ttl_of(from, i);
  }
  UNROLL for (int i = 1; i <= ANSWER_BYTES_MAX / 64; i++) {
    const __u32 at = ANSWER_BYTES_MAX - 64 * i;
    __builtin_memcpy(scratch->reply + at, from->bytes + at, 64);
    if (64 * i >= bytes) break;
  }
  // And those above before these.
  fence(&to->generation);
  if (*(volatile __u64 *)&from->generation != generation) return 0;
  // Whether the key still leads to what was copied. Without CAP_PERFMON pointers must not be compared; generations are unique.
  struct answer *again = map_lookup(&answers_map, key);
  return again && again->generation == generation;
}

INLINE int answered(struct __sk_buff *s, const int is_v6) {
  const __u32 udp_at = is_v6 ? 54 : 34, dns_at = udp_at + 8, question_at = dns_at + HEADER;
  void *data = (void *)(long)s->data, *end = (void *)(long)s->data_end;
  if (data + question_at > end) {
    if (pull_data(s, question_at)) return TC_ACT_UNSPEC;
    data = (void *)(long)s->data, end = (void *)(long)s->data_end;
    if (data + question_at > end) return TC_ACT_UNSPEC;
  }
  struct ethhdr *eth = data;
  struct iphdr *ip = data + 14;
  struct ipv6hdr *ip6 = data + 14;
  struct udphdr *udp = data + udp_at;
  __u16 *dns = data + dns_at;
  struct address to = {};
  __u32 udp_bytes = BE16(udp->len);
  if (is_v6) {
    if (ip6->nexthdr != IPPROTO_UDP) return TC_ACT_UNSPEC;
    __builtin_memcpy(to.ip, &ip6->daddr, 16);
  } else {
    if (ip->protocol != IPPROTO_UDP || ip->ihl != 5 || ip->version != 4 || (ip->frag_off & BE16(0x3fff))) return TC_ACT_UNSPEC;
    to.ip[2] = __builtin_bswap32(0xffff), to.ip[3] = ip->daddr;
  }
  to.port = udp->dest;
  __u32 *server = map_lookup(&addresses_map, &to);
  if (!server) return TC_ACT_UNSPEC;

  // From here on it is for us: what is passed up is counted.
  if (is_v6) {
    __u32 *from = (__u32 *)&ip6->saddr;
    if (ip6->version != 6 || BE16(ip6->payload_len) != udp_bytes || s->len != udp_at + udp_bytes || udp->check == 0) return pass(COUNT_ODD);
    // Multicast, the unspecified address, ::1, and our own.
    if (*(__u8 *)from == 0xff || (from[0] == 0 && from[1] == 0 && from[2] == 0)) return pass(COUNT_ODD);
    if (from[0] == to.ip[0] && from[1] == to.ip[1] && from[2] == to.ip[2] && from[3] == to.ip[3]) return pass(COUNT_ODD);
  } else {
    __u32 net = *(__u8 *)&ip->saddr;
    if (BE16(ip->tot_len) != udp_bytes + 20 || s->len != udp_at + udp_bytes) return pass(COUNT_ODD);
    if (net == 0 || net == 127 || net >= 224 || ip->saddr == ip->daddr) return pass(COUNT_ODD);
  }
  // pkt_type: 0 for us, 3 for another host, as on a bridge's port. A multicast source address is nobody's.
  if (s->vlan_present || s->gso_size || (s->pkt_type != 0 && s->pkt_type != 3) || (eth->h_source[0] & 1)) return pass(COUNT_ODD);
  __u32 port = BE16(udp->source), port_word = port >> 6;
  __u64 *guarded = map_lookup(&ports_map, &port_word);
  if (!guarded || (*guarded >> (port & 63)) & 1) return pass(COUNT_ODD);

  __u32 zero = 0;
  struct settings *settings = map_lookup(&settings_map, &zero);
  if (!settings) return TC_ACT_UNSPEC;
  __u64 now = boot_ns();
  if (now >= settings->lease_ns) return pass(COUNT_UNLEASED);

  // A plain question: QUERY with RD, perhaps AD, nothing else; no record but one OPT.
  struct question q = { .flags = dns[1], .arcount = dns[5], .reply_max = 512 };
  if ((q.flags & ~BE16(FLAG_AD)) != BE16(FLAG_RD) || dns[2] != BE16(1) || dns[3] || dns[4]) return pass(COUNT_ODD);
  if (udp_bytes < 8 + HEADER + 1 + SUFFIX || udp_bytes > 8 + HEADER + 255 + SUFFIX + OPT_COOKIE) return pass(COUNT_ODD);
  __u32 tail_bytes = udp_bytes - 8 - HEADER; // all behind the header
  struct scratch *scratch = map_lookup(&scratch_map, &zero);
  if (!scratch) return TC_ACT_UNSPEC;
  if (load_bytes(s, question_at - BEFORE_NAME, scratch->query, LENGTH(BEFORE_NAME + tail_bytes, 512))) return pass(COUNT_ODD);
  if (q.arcount == BE16(1)) {
    q.reply_max = settings->reply_bytes_max;
    if (read_opt(scratch, tail_bytes, &q)) return pass(COUNT_ODD);
  } else if (q.arcount) return pass(COUNT_ODD);
  if (q.reply_max > settings->reply_bytes_max) q.reply_max = settings->reply_bytes_max;
  __u32 name_bytes = tail_bytes - SUFFIX - q.opt_bytes;
  if (name_bytes < 1 || name_bytes > 255) return pass(COUNT_ODD);

  // Whether this is one whole name need not be judged: only a name that equals a whole one of this length is found.
  __u64 *name = scratch->query + BEFORE_NAME / 8;
  __u64 name_end = name_bytes;
  HIDE(name_end);
  __u16 *suffix = (__u16 *)((__u8 *)name + (name_end & 255));
  __u16 qtype = suffix[0];
  if (suffix[1] != BE16(1)) return pass(COUNT_ODD);
  // Zeros behind the name, for its last word.
  *(__u64 *)suffix = 0;
  struct key key = { .hash = settings->seed, .qtype = qtype, .name_bytes = name_bytes };
  UNROLL for (int i = 0; i < NAME_WORDS; i++) {
    HIDE(name_bytes);
    if (8 * i >= name_bytes) break;
    __u64 word = folded(name[i]);
    name[i] = word;
    key.hash = (key.hash ^ word) * settings->multiplier;
    key.hash ^= key.hash >> 29;
  }
  struct answer *found = map_lookup(&answers_map, &key);
  if (!found) return pass(COUNT_UNKNOWN);
  UNROLL for (int i = 0; i < NAME_WORDS; i++) {
    HIDE(name_bytes);
    if (8 * i >= name_bytes) break;
    if (found->name[i] != name[i]) return pass(COUNT_UNKNOWN);
  }
  struct answer *answer = &scratch->answer;
  if (!copied(scratch, found, &key)) return pass(COUNT_TORN);
  if (now >= answer->expires_ns || now < answer->stored_ns) return pass(COUNT_OLD);

  __u32 bytes = answer->answer_bytes, question_bytes = name_bytes + SUFFIX;
  __u32 opt_bytes = q.opt_bytes ? OPT_FIXED : 0;
  __u32 dns_bytes = HEADER + question_bytes + bytes + opt_bytes;
  if (dns_bytes > q.reply_max) return pass(COUNT_LARGE);
  __u32 turned_bytes = answer->turned_bytes, turned = answer->turned, turned_at = answer->turned_at;
  __u32 turn = 0;
  if (turned) {
    if (turned > TURNED_MAX || turned_bytes > RECORD_BYTES_MAX || turned_at + turned * turned_bytes > bytes) return pass(COUNT_ODD);
    turn = random32() % turned;
  }
  __u32 shape = (is_v6 ? 3 : 0) + (q.opt_bytes == 0 ? 0 : q.opt_bytes == OPT_FIXED ? 1 : 2);
  __u32 row = (answer->slot * settings->servers + *server) * SHAPES + shape;
  __u64 *uses = map_lookup(&uses_map, &row);
  if (!uses) return TC_ACT_UNSPEC;

  __s64 age = (now - answer->stored_ns) / 1000000000ULL;
  __u32 answer_sum = answer->sum, records_at = RECORDS_END - bytes;
  UNROLL for (int i = 0; i < RECORDS_MAX; i++) {
    if (i >= answer->records) break;
    struct ttl *ttl = ttl_of(answer, i);
    __u32 at = ttl->at;
    // Never below zero; without a branch, too.
    __s64 left = (__s64)ttl->seconds - age;
    __u64 mask = left >> 63;
    HIDE(mask);
    __u32 seconds = __builtin_bswap32(left & ~mask);
    __u64 ttl_at = records_at + at;
    HIDE(ttl_at);
    *(__u32 *)(scratch->reply + (ttl_at & (2 * ANSWER_BYTES_MAX - 1))) = seconds;
    answer_sum += at_parity((seconds & 0xffff) + (seconds >> 16), at);
  }
  __u32 added = at_parity(answer_sum, question_bytes);
  if (opt_bytes) {
    // Root, OPT, 1232 bytes, no flags, no options: as src/wire/reply.ts writes it.
    __u8 *opt = scratch->reply + RECORDS_END;
    *(__u64 *)opt = 0x000000d004290000ULL;
    *(__u32 *)(opt + 8) = 0;
    added += at_parity(BE16(0x2904) + BE16(0xd000), question_bytes + bytes);
  }

  // The first write. From here on a failure, which none of these calls can have, would cost the packet.
  if (change_tail(s, dns_at + dns_bytes, 0)) return TC_ACT_UNSPEC;
  __u32 answer_at = question_at + question_bytes, appended = bytes + opt_bytes;
  __u64 all = records_at;
  HIDE(all);
  __u8 *from = scratch->reply + (all & (2 * ANSWER_BYTES_MAX - 1));
  if (appended && store_bytes(s, answer_at, from, LENGTH(appended, 2 * ANSWER_BYTES_MAX), 0)) return TC_ACT_SHOT;
  // Records of a set are of one size, an even one: turning them leaves the sum as it is.
  if (turn) {
    __u32 cut = turn * turned_bytes, rest = turned * turned_bytes - cut, set_at = answer_at + turned_at;
    __u64 first = records_at + turned_at + cut, last = records_at + turned_at;
    HIDE(first);
    HIDE(last);
    from = scratch->reply + (first & (2 * ANSWER_BYTES_MAX - 1));
    if (store_bytes(s, set_at, from, LENGTH(rest, ANSWER_BYTES_MAX), 0)) return TC_ACT_SHOT;
    from = scratch->reply + (last & (2 * ANSWER_BYTES_MAX - 1));
    if (store_bytes(s, set_at + rest, from, LENGTH(cut, ANSWER_BYTES_MAX), 0)) return TC_ACT_SHOT;
  }

  data = (void *)(long)s->data, end = (void *)(long)s->data_end;
  if (data + question_at > end) return TC_ACT_SHOT;
  eth = data, ip = data + 14, ip6 = data + 14, udp = data + udp_at, dns = data + dns_at;
  __u8 mac[6];
  __builtin_memcpy(mac, eth->h_dest, 6);
  __builtin_memcpy(eth->h_dest, eth->h_source, 6);
  __builtin_memcpy(eth->h_source, mac, 6);
  __u16 new_len = BE16(8 + dns_bytes), old_len = udp->len;
  if (is_v6) {
    struct in6_addr address = ip6->saddr;
    ip6->saddr = ip6->daddr;
    ip6->daddr = address;
    ip6->payload_len = new_len;
    ip6->hop_limit = 64;
  } else {
    __u32 address = ip->saddr;
    ip->saddr = ip->daddr;
    ip->daddr = address;
    // By differences too, so that a wrong sum stays wrong. The TTL is the lower byte of its word.
    __u32 tot_len = BE16(28 + dns_bytes);
    ip->check = ~fold16((__u16)~ip->check + (__u16)~ip->tot_len + tot_len + (__u16)~ip->ttl + 64);
    ip->tot_len = tot_len;
    ip->ttl = 64;
  }
  __u16 port_back = udp->source;
  udp->source = udp->dest;
  udp->dest = port_back;
  udp->len = new_len;
  // RFC 6840 5.7, 5.8: AD is for clients that asked for it.
  __u16 flags = answer->flags | BE16(FLAG_RD);
  if (!(q.flags & BE16(FLAG_AD))) flags &= ~BE16(FLAG_AD);
  __u16 arcount = opt_bytes ? BE16(BE16(answer->arcount) + 1) : answer->arcount;
  __u32 removed = q.opt_sum + q.flags + q.arcount + old_len;
  added += flags + answer->ancount + answer->nscount + arcount + new_len;
  dns[1] = flags, dns[3] = answer->ancount, dns[4] = answer->nscount, dns[5] = arcount;

  // Differences, since nobody can see here whether the sum is in the packet already or left to the device (CHECKSUM_PARTIAL): the payload's,
  // which the latter does not need, then that of the length in the pseudo header. A query without a sum gets a reply without.
  const __u32 check_at = udp_at + 6;
  __u64 difference = fold16(added) + (__u16)~fold16(removed);
  if (l4_csum_replace(s, check_at, 0, difference, BPF_F_MARK_MANGLED_0)) return TC_ACT_SHOT;
  if (l4_csum_replace(s, check_at, old_len, new_len, 2 | BPF_F_PSEUDO_HDR | BPF_F_MARK_MANGLED_0)) return TC_ACT_SHOT;
  change_type(s, 0);
  __sync_fetch_and_add(uses, 1);
  count(COUNT_HIT);
  return redirect_peer(s->ifindex, 0);
}

__attribute__((section("tc"), used)) int neardns_hit(struct __sk_buff *s) {
  void *data = (void *)(long)s->data, *end = (void *)(long)s->data_end;
  struct ethhdr *eth = data;
  if (data + 14 > end) return TC_ACT_UNSPEC;
  if (eth->h_proto == BE16(ETH_P_IP)) return answered(s, 0);
  if (eth->h_proto == BE16(ETH_P_IPV6)) return answered(s, 1);
  return TC_ACT_UNSPEC;
}
