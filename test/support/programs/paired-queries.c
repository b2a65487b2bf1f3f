/*
 * paired-queries IP ROUNDS: asks A and AAAA of one name at the same instant from one socket, each from a thread and a CPU
 * of its own, with a fresh socket in each round. Prints how many rounds lacked a reply after half a second.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int fd, rounds;
static atomic_int turn, sent;
static const unsigned char query[] = "\0\1\1\0\0\1\0\0\0\0\0\0\4pair\7cluster\5local\0\0\1\0\1";
enum { length = sizeof query - 1 };

static void *sender(void *argument) {
  long me = (long)argument;
  unsigned char own[length];
  cpu_set_t cpu;
  CPU_ZERO(&cpu);
  CPU_SET(me, &cpu);
  pthread_setaffinity_np(pthread_self(), sizeof cpu, &cpu);
  memcpy(own, query, length);
  own[1] = 1 + me;
  if (me == 1) own[length - 3] = 28;
  for (int i = 1; i <= rounds; i++) {
    while (atomic_load(&turn) != i) sched_yield();
    send(fd, own, length, 0);
    atomic_fetch_add(&sent, 1);
  }
  return 0;
}

static int replies(void) {
  struct pollfd readable = {fd, POLLIN, 0};
  char reply[512];
  int got = 0;
  while (got < 2 && poll(&readable, 1, 500) > 0)
    if (recv(fd, reply, sizeof reply, MSG_DONTWAIT) > 0) got++;
  return got;
}

int main(int count, char **words) {
  struct sockaddr_in server = {.sin_family = AF_INET, .sin_port = htons(53)};
  pthread_t threads[2];
  int lost = 0;
  if (count != 3 || inet_pton(AF_INET, words[1], &server.sin_addr) != 1) return 2;
  rounds = atoi(words[2]);
  for (long i = 0; i < 2; i++) pthread_create(&threads[i], 0, sender, (void *)i);
  for (int i = 1; i <= rounds; i++) {
    fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (connect(fd, (struct sockaddr *)&server, sizeof server) != 0) return 1;
    atomic_store(&sent, 0);
    atomic_store(&turn, i);
    while (atomic_load(&sent) < 2) sched_yield();
    if (replies() < 2) lost++;
    close(fd);
  }
  printf("%d\n", lost);
  return 0;
}
