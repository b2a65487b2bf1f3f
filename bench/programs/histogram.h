/* Counts of durations in buckets that grow with them: at most 1.6 % off, from a nanosecond to hours. */
#ifndef HISTOGRAM_H
#define HISTOGRAM_H

#include <stdint.h>

enum { STEPS = 64, STEP_BITS = 6 };

struct histogram {
  uint64_t count, max;
  uint32_t buckets[STEPS * 48];
};

static inline void histogram_add(struct histogram *into, uint64_t ns) {
  int shift = ns < STEPS ? 0 : 63 - __builtin_clzll(ns) - (STEP_BITS - 1);
  int bucket = shift * (STEPS / 2) + (int)(ns >> shift);
  int last = (int)(sizeof into->buckets / sizeof into->buckets[0]) - 1;
  into->buckets[bucket < last ? bucket : last]++;
  into->count++;
  if (ns > into->max) into->max = ns;
}

/* The nearest-rank percentile, microseconds: the upper end of its bucket, at most the maximum. */
static inline double histogram_us(const struct histogram *of, double share) {
  uint64_t rank = (uint64_t)(share * (double)of->count + 0.9999999), seen = 0;
  int last = (int)(sizeof of->buckets / sizeof of->buckets[0]);
  for (int bucket = 0; bucket < last; bucket++) {
    seen += of->buckets[bucket];
    if (seen < rank || seen == 0) continue;
    int shift = bucket < STEPS ? 0 : bucket / (STEPS / 2) - 1;
    uint64_t upper = ((uint64_t)(bucket - shift * (STEPS / 2)) + 1) << shift;
    return (double)(upper < of->max ? upper : of->max) / 1e3;
  }
  return 0;
}

#endif
