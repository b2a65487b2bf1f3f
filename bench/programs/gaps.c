/*
 * Sees when a CPU was not to be had: a thread for each CPU wakes up twice in a millisecond at real-time priority, ahead of everything else
 * here, so that only the hypervisor or the kernel itself can make it late. Prints "ready", and on SIGTERM one line of JSON: by how much
 * the latest was late, in the order of the CPUs. Without the right to real-time priority it would see the servers' own work, and ends with 3.
 * gaps CPU...
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { CPUS_MAX = 64, PERIOD_NS = 500000, PRIORITY = 50 };

struct watch {
  int cpu;
  volatile uint64_t longest_ns;
};

static struct watch watches[CPUS_MAX];

static void die(const char *what, int code) {
  perror(what);
  exit(code);
}

static uint64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void *watch_cpu(void *given) {
  struct watch *watch = given;
  struct sched_param param = {.sched_priority = PRIORITY};
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(watch->cpu, &set);
  if (sched_setaffinity(0, sizeof set, &set) != 0) die("sched_setaffinity", 1);
  if (sched_setscheduler(0, SCHED_FIFO, &param) != 0) die("sched_setscheduler", 3);
  for (uint64_t due = now_ns() + PERIOD_NS;; due += PERIOD_NS) {
    struct timespec until = {(time_t)(due / 1000000000u), (long)(due % 1000000000u)};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
    uint64_t now = now_ns(), late = now > due ? now - due : 0;
    if (late > watch->longest_ns) watch->longest_ns = late;
    /* One gap is seen once, and not again by each wake-up that it covered. */
    if (late > PERIOD_NS) due = now;
  }
  return NULL;
}

int main(int argc, char **argv) {
  int count = argc - 1, got;
  sigset_t term;
  if (count < 1 || count > CPUS_MAX) {
    fprintf(stderr, "gaps CPU...\n");
    return 2;
  }
  sigemptyset(&term);
  sigaddset(&term, SIGTERM);
  sigprocmask(SIG_BLOCK, &term, NULL);
  for (int i = 0; i < count; i++) {
    pthread_t thread;
    watches[i].cpu = atoi(argv[i + 1]);
    if (pthread_create(&thread, NULL, watch_cpu, &watches[i]) != 0) die("pthread_create", 1);
  }
  /* The threads have their priority by now, or have ended this. */
  nanosleep(&(struct timespec){0, 2 * PERIOD_NS}, NULL);
  printf("ready\n");
  fflush(stdout);
  sigwait(&term, &got);
  printf("{\"longestUs\":[");
  for (int i = 0; i < count; i++) printf("%s%.1f", i > 0 ? "," : "", (double)watches[i].longest_ns / 1e3);
  printf("]}\n");
  return 0;
}
