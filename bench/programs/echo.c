/*
 * The physical limit: sends each datagram back with QR set and does nothing else, with the batching of neardns's endpoint: wait for
 * readiness, recvmmsg of at most 64, sendmmsg, again. Prints "ready", ends on SIGTERM.
 * echo PORT [ADDRESS]     of either family; 127.0.0.1 unless given
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>

enum { BATCH = 64, MESSAGE_MAX = 4096, BATCHES_PER_TURN = 4 };

static unsigned char data[BATCH][MESSAGE_MAX];
static struct sockaddr_storage peers[BATCH];
static struct iovec parts[BATCH];
static struct mmsghdr messages[BATCH];

/* Returns how many came. */
static int turn(int fd) {
  for (int i = 0; i < BATCH; i++) {
    parts[i].iov_len = MESSAGE_MAX;
    messages[i].msg_hdr.msg_namelen = sizeof peers[i];
  }
  int count = recvmmsg(fd, messages, BATCH, MSG_DONTWAIT, NULL);
  for (int i = 0; i < count; i++) {
    parts[i].iov_len = messages[i].msg_len;
    data[i][2] |= 0x80;
  }
  for (int done = 0; done < count;) {
    int n = sendmmsg(fd, messages + done, (unsigned)(count - done), 0);
    done += n > 0 ? n : 1;
  }
  return count;
}

int main(int argc, char **argv) {
  if (argc != 2 && argc != 3) {
    fprintf(stderr, "echo PORT [ADDRESS]\n");
    return 2;
  }
  const char *at = argc == 3 ? argv[2] : "127.0.0.1";
  unsigned short port = htons((unsigned short)atoi(argv[1]));
  struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = port};
  struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = port};
  int is_v4 = inet_pton(AF_INET, at, &v4.sin_addr) == 1;
  if (!is_v4 && inet_pton(AF_INET6, at, &v6.sin6_addr) != 1) return 2;
  int fd = socket(is_v4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK, 0), size = 4 << 20, queue = epoll_create1(0);
  if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) != 0) setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  if (bind(fd, is_v4 ? (struct sockaddr *)&v4 : (struct sockaddr *)&v6, is_v4 ? sizeof v4 : sizeof v6) != 0) {
    perror("bind");
    return 1;
  }
  for (int i = 0; i < BATCH; i++) {
    parts[i].iov_base = data[i];
    messages[i].msg_hdr = (struct msghdr){.msg_name = &peers[i], .msg_iov = &parts[i], .msg_iovlen = 1};
  }
  struct epoll_event event = {.events = EPOLLIN};
  epoll_ctl(queue, EPOLL_CTL_ADD, fd, &event);
  printf("ready\n");
  fflush(stdout);
  for (;;) {
    epoll_wait(queue, &event, 1, -1);
    for (int batch = 0; batch < BATCHES_PER_TURN && turn(fd) == BATCH; batch++) continue;
  }
}
