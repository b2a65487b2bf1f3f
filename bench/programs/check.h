/* Is a reply right? Loosely, as any server may word it; or byte by byte, as neardns has to give back the authority's own reply of one record. */
#ifndef CHECK_H
#define CHECK_H

#include "truth.h"

enum check { CHECK_LOOSE, CHECK_STRICT, CHECK_NONE };

/* Everything behind the header of the question, without regard to letter case. */
static inline int is_same_question(const uint8_t *query, const uint8_t *reply, int length, int question_end) {
  if (length < question_end || get16(reply + 4) != 1) return 0;
  for (int i = HEADER; i < question_end; i++)
    if (lower(query[i]) != lower(reply[i])) return 0;
  return 1;
}

/* Behind a record's name, which may be compressed. */
static inline int name_end(const uint8_t *reply, int length, int at) {
  while (at < length && reply[at] != 0 && reply[at] < 0xc0) at += reply[at] + 1;
  return at + (at < length && reply[at] >= 0xc0 ? 2 : 1);
}

/* The answer is the set of records that is true: all of them, each once, in any order (RFC 2181 5). Servers turn sets. */
static inline int has_answer(const struct truth *truth, const uint8_t *reply, int length) {
  uint8_t seen[RECORDS_MAX] = {0};
  int at = truth->question_end, last = truth->rdata_length - 1;
  if (get16(reply + 6) != truth->records) return 0;
  for (int i = 0; i < truth->records; i++) {
    at = name_end(reply, length, at);
    const uint8_t *rdata = reply + at + 10;
    if (at + 10 + truth->rdata_length > length || get16(reply + at) != truth->qtype || get16(reply + at + 8) != truth->rdata_length) return 0;
    uint8_t number = (uint8_t)(rdata[last] - truth->rdata[last]);
    if (memcmp(rdata, truth->rdata, (size_t)last) != 0 || number >= truth->records || seen[number]) return 0;
    seen[number] = 1;
    at += 10 + truth->rdata_length;
  }
  return 1;
}

static inline int is_right_loosely(const uint8_t *query, int query_length, const uint8_t *reply, int length) {
  struct truth truth = truth_of(query, query_length);
  if (!(reply[2] & 0x80) || (reply[3] & 15) != truth.rcode) return 0;
  if (!is_same_question(query, reply, length, truth.question_end)) return 0;
  if (reply[2] & 0x02) return truth.records > 1; /* more than UDP takes */
  return has_answer(&truth, reply, length);
}

/* What neardns says to EDNS: an OPT record with its own payload size and nothing else. */
static const uint8_t opt_record[] = {0, 0, 41, 0x04, 0xd0, 0, 0, 0, 0, 0, 0};

/* Only the TTL may differ, and only downwards; AA is not for a cache to say. */
static inline int is_right_strictly(const uint8_t *query, int query_length, const uint8_t *reply, int length, uint32_t ttl_max) {
  uint8_t expected[REPLY_MAX];
  int end = reply_of(query, query_length, ttl_max, expected), has_edns = get16(query + 10) > 0;
  int ttl_at = truth_of(query, query_length).question_end + 6;
  put16(expected + 10, (unsigned)has_edns);
  if (length != end + (has_edns ? (int)sizeof opt_record : 0) || get32(reply + ttl_at) > get32(expected + ttl_at)) return 0;
  if (has_edns && memcmp(reply + end, opt_record, sizeof opt_record) != 0) return 0;
  return (reply[2] & ~0x04) == (expected[2] & ~0x04) && memcmp(reply + 3, expected + 3, (size_t)(ttl_at - 3)) == 0 &&
         memcmp(reply + ttl_at + 4, expected + ttl_at + 4, (size_t)(end - ttl_at - 4)) == 0;
}

static inline int is_right(enum check check, const uint8_t *query, int query_length, const uint8_t *reply, int length, uint32_t ttl_max) {
  if (check == CHECK_NONE) return 1;
  if (check == CHECK_STRICT) return is_right_strictly(query, query_length, reply, length, ttl_max);
  return is_right_loosely(query, query_length, reply, length);
}

#endif
