/*
 * What is true in the benches' made-up world, in one place: the authority answers by it, the load generator checks replies by it.
 *
 * A name that begins with "no-" does not exist. In cluster.local a name exists when it has five labels of which the third is svc
 * or pod; everywhere else all names exist. The A record's address is a hash of the name; cluster names have no AAAA record. A cluster
 * name that begins with "many-" has 2 to 250 A records, up to 4 KiB, as a headless Service has.
 */
#ifndef TRUTH_H
#define TRUTH_H

#include <stdint.h>
#include <string.h>

enum { HEADER = 12, TYPE_A = 1, TYPE_SOA = 6, TYPE_AAAA = 28, NXDOMAIN = 3, MESSAGE_MAX = 512, RECORDS_MAX = 250, REPLY_MAX = MESSAGE_MAX + RECORDS_MAX * 16 };

struct truth {
  int question_end; /* 0: the packet is no query for one name in class IN */
  int rcode;
  int records;
  int rdata_length; /* of each answer; the last byte counts them up */
  uint16_t qtype;
  int soa_at; /* offset of the zone in the question */
  uint8_t rdata[16];
};

static inline uint16_t get16(const uint8_t *at) { return (uint16_t)(at[0] << 8 | at[1]); }
static inline uint32_t get32(const uint8_t *at) { return (uint32_t)get16(at) << 16 | get16(at + 2); }
static inline uint8_t *put16(uint8_t *at, unsigned value) {
  at[0] = (uint8_t)(value >> 8);
  at[1] = (uint8_t)value;
  return at + 2;
}
static inline uint8_t *put32(uint8_t *at, uint32_t value) { return put16(put16(at, value >> 16), value & 0xffff); }
static inline uint8_t lower(uint8_t byte) { return byte >= 'A' && byte <= 'Z' ? byte | 0x20 : byte; }

/* A label begins with a text, whatever the letter case: forwarders mix it (0x20). */
static inline int begins_with(const uint8_t *label, const char *text) {
  size_t length = strlen(text);
  if (label[0] < length) return 0;
  for (size_t i = 0; i < length; i++)
    if (lower(label[1 + i]) != (uint8_t)text[i]) return 0;
  return 1;
}

static inline int is_label(const uint8_t *label, const char *text) {
  return label[0] == strlen(text) && begins_with(label, text);
}

/* Fills `rdata` from an FNV-1a hash of the name without regard to letter case. */
static inline void address_of(struct truth *truth, const uint8_t *name, int length) {
  uint32_t hash = 2166136261u;
  for (int i = 0; i < length; i++) hash = (hash ^ lower(name[i])) * 16777619u;
  memset(truth->rdata, 0, sizeof truth->rdata);
  truth->records = 1;
  if (truth->qtype == TYPE_A) {
    truth->rdata_length = 4;
    put32(truth->rdata, hash);
    truth->rdata[0] = 10;
  } else {
    truth->rdata_length = 16;
    put32(truth->rdata, 0x20010db8);
    put32(truth->rdata + 12, hash);
  }
}

static inline struct truth truth_of(const uint8_t *query, int length) {
  struct truth truth = {0};
  int at = HEADER, labels[128], count = 0;
  while (at < length && query[at] != 0 && query[at] < 64 && count < 128) {
    labels[count++] = at;
    at += query[at] + 1;
  }
  if (at + 5 > length || query[at] != 0 || get16(query + 4) != 1 || get16(query + at + 3) != 1) return truth;
  truth.qtype = get16(query + at + 1);
  truth.question_end = at + 5;
  truth.soa_at = count >= 2 ? labels[count - 2] : HEADER;
  int is_cluster = count >= 2 && is_label(query + labels[count - 1], "local") && is_label(query + labels[count - 2], "cluster");
  int exists = count > 0 && !begins_with(query + HEADER, "no-");
  if (is_cluster) {
    const uint8_t *third = query + labels[count >= 3 ? count - 3 : 0];
    if (count != 5 || !(is_label(third, "svc") || is_label(third, "pod"))) exists = 0;
    if (count == 2 || (count == 3 && (is_label(third, "svc") || is_label(third, "pod")))) exists = -1; /* empty non-terminals */
  }
  if (exists == 0) truth.rcode = NXDOMAIN;
  if (exists == 1 && (truth.qtype == TYPE_A || (truth.qtype == TYPE_AAAA && !is_cluster)))
    address_of(&truth, query + HEADER, at - HEADER);
  if (is_cluster && truth.records > 0 && begins_with(query + HEADER, "many-")) truth.records = 2 + (int)(get32(truth.rdata) % (RECORDS_MAX - 1));
  return truth;
}

/* The authority's whole reply. Returns its length, 0 when there is to be none. */
static inline int reply_of(const uint8_t *query, int length, uint32_t ttl, uint8_t *out) {
  struct truth truth = truth_of(query, length);
  if (truth.question_end == 0 || truth.question_end + 64 > MESSAGE_MAX) return 0;
  memcpy(out, query, (size_t)truth.question_end);
  out[2] = 0x84 | (query[2] & 0x01); /* QR, AA, the query's RD */
  out[3] = 0x80 | (uint8_t)truth.rcode;
  put32(out + 6, truth.records > 0 ? (uint32_t)truth.records << 16 : 1);
  put16(out + 10, 0);
  uint8_t *at = out + truth.question_end;
  for (int i = 0; i < truth.records; i++) {
    at = put32(put16(put16(put16(at, 0xc000 | HEADER), truth.qtype), 1), ttl);
    at = put16(at, (unsigned)truth.rdata_length);
    memcpy(at, truth.rdata, (size_t)truth.rdata_length);
    at += truth.rdata_length;
    at[-1] = (uint8_t)(at[-1] + i);
  }
  if (truth.records > 0) return (int)(at - out);
  static const uint32_t times[] = {1, 7200, 1800, 86400, 5};
  at = put16(put32(put16(put16(put16(at, 0xc000u | (unsigned)truth.soa_at), TYPE_SOA), 1), ttl < 5 ? ttl : 5), 24);
  at = put16(put16(at, 0xc000u | (unsigned)truth.soa_at), 0xc000u | (unsigned)truth.soa_at);
  for (int i = 0; i < 5; i++) at = put32(at, times[i]);
  return (int)(at - out);
}

#endif
