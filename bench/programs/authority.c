/*
 * The name server behind all contestants: answers by truth.h, UDP and TCP on one port of 127.0.0.1, one thread. It is made to cost
 * less than any forwarder, so that it is not the limit of a miss. Prints "ready", ends on SIGTERM.
 * authority PORT TTL
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "program.h"
#include "truth.h"

enum { BATCH = 64, CONNECTIONS = 4096, INPUT_MAX = 16384, OUTPUT_MAX = 65536 };

/* One TCP connection; indexed by its descriptor. */
static struct connection {
  int used;
  uint8_t input[INPUT_MAX];
} *connections[CONNECTIONS];

static uint32_t ttl;
static int queue;

static void watch(int fd) {
  struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
  if (epoll_ctl(queue, EPOLL_CTL_ADD, fd, &event) != 0) die("epoll_ctl");
}

static int bound(int type, int port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int fd = socket(AF_INET, type | SOCK_NONBLOCK, 0), on = 1, size = 4 << 20;
  if (fd < 0) die("socket");
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) != 0) setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0) die("bind");
  if (type == SOCK_STREAM && listen(fd, 1024) != 0) die("listen");
  watch(fd);
  return fd;
}

static void serve_udp(int fd) {
  static uint8_t in[BATCH][MESSAGE_MAX], out[BATCH][REPLY_MAX];
  static struct sockaddr_in peers[BATCH];
  struct iovec from[BATCH], to[BATCH];
  struct mmsghdr received[BATCH], sent[BATCH];
  memset(received, 0, sizeof received);
  for (int i = 0; i < BATCH; i++) {
    from[i] = (struct iovec){in[i], MESSAGE_MAX};
    received[i].msg_hdr = (struct msghdr){.msg_name = &peers[i], .msg_namelen = sizeof peers[i], .msg_iov = &from[i], .msg_iovlen = 1};
  }
  int count = recvmmsg(fd, received, BATCH, MSG_DONTWAIT, NULL), replies = 0;
  for (int i = 0; i < count; i++) {
    int length = reply_of(in[i], (int)received[i].msg_len, ttl, out[i]);
    if (length == 0) continue;
    to[replies] = (struct iovec){out[i], (size_t)length};
    sent[replies].msg_hdr = received[i].msg_hdr;
    sent[replies].msg_hdr.msg_iov = &to[replies];
    replies += 1;
  }
  for (int done = 0; done < replies;) {
    int n = sendmmsg(fd, sent + done, (unsigned)(replies - done), 0);
    done += n > 0 ? n : 1; /* what cannot be sent is lost, as on any network */
  }
}

static void close_connection(int fd) {
  close(fd);
  free(connections[fd]);
  connections[fd] = NULL;
}

/* All that has come so far is answered in one write: clients that pipeline pay one system call for many. */
static void serve_tcp(int fd) {
  static uint8_t out[OUTPUT_MAX];
  struct connection *connection = connections[fd];
  ssize_t got = recv(fd, connection->input + connection->used, (size_t)(INPUT_MAX - connection->used), 0);
  if (got < 0 && errno == EAGAIN) return;
  if (got <= 0) {
    close_connection(fd);
    return;
  }
  connection->used += (int)got;
  int at = 0, end = 0;
  while (connection->used - at >= 2) {
    int length = get16(connection->input + at);
    if (length > INPUT_MAX - 2) {
      close_connection(fd);
      return;
    }
    if (connection->used - at - 2 < length || end + REPLY_MAX + 2 > OUTPUT_MAX) break;
    int reply = reply_of(connection->input + at + 2, length, ttl, out + end + 2);
    if (reply > 0) {
      put16(out + end, (unsigned)reply);
      end += reply + 2;
    }
    at += length + 2;
  }
  memmove(connection->input, connection->input + at, (size_t)(connection->used - at));
  connection->used -= at;
  for (int done = 0; done < end;) {
    ssize_t n = send(fd, out + done, (size_t)(end - done), MSG_NOSIGNAL);
    if (n < 0 && errno == EAGAIN) continue; /* the reader is on another CPU and will read */
    if (n <= 0) {
      close_connection(fd);
      return;
    }
    done += (int)n;
  }
}

static void accept_all(int listener) {
  for (;;) {
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK), on = 1;
    if (fd < 0) return;
    if (fd >= CONNECTIONS) {
      close(fd);
      return;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    connections[fd] = calloc(1, sizeof *connections[fd]);
    watch(fd);
  }
}

int main(int argc, char **argv) {
  if (argc != 3) {
    fprintf(stderr, "authority PORT TTL\n");
    return 2;
  }
  ttl = (uint32_t)atol(argv[2]);
  queue = epoll_create1(0);
  int udp = bound(SOCK_DGRAM, atoi(argv[1])), tcp = bound(SOCK_STREAM, atoi(argv[1]));
  printf("ready\n");
  fflush(stdout);
  for (;;) {
    struct epoll_event events[BATCH];
    int count = epoll_wait(queue, events, BATCH, -1);
    for (int i = 0; i < count; i++) {
      int fd = events[i].data.fd;
      if (fd == udp) serve_udp(fd);
      else if (fd == tcp) accept_all(fd);
      else serve_tcp(fd);
    }
  }
}
