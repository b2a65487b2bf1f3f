/*
 * The first program of the image. In the place of node-cache it opens the sockets of `-localip`, then it becomes Node with
 * our program, which finds them in NEARDNS_FIRST_SOCKETS (first-sockets.ts). Node takes 30 ms to its first line and we 300 to
 * our first answer; queries of that time wait in the sockets' buffers instead of meeting a closed port (docs/decisions/0056).
 *
 * An address that is not on the node, or that another process serves, is left alone. What cannot be opened is opened later,
 * and said then. Beside the addresses it understands none of the flags: first-sockets.ts closes what turns out not to be wanted.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef NODE
#define NODE "/usr/local/bin/node"
#endif

/* Beyond those that libuv marks to be closed at the next exec: it ends at the first free one above 15. */
#define FIRST_FD 100
#define ADDRESSES_MAX 16
/* The default of udp.receiveBufferBytes: 5,000 queries. */
#define BUFFER_BYTES 4194304
/* As in open-socket.ts. */
#define BACKLOG 511

struct endpoint {
  union {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
  } name;
  socklen_t length;
  char text[INET6_ADDRSTRLEN + 10];
};

static int read_endpoint(const char *address, long port, struct endpoint *to) {
  char plain[INET6_ADDRSTRLEN];
  memset(to, 0, sizeof *to);
  if (inet_pton(AF_INET, address, &to->name.v4.sin_addr) == 1) {
    to->name.v4.sin_family = AF_INET;
    to->name.v4.sin_port = htons((unsigned short)port);
    to->length = sizeof to->name.v4;
    inet_ntop(AF_INET, &to->name.v4.sin_addr, plain, sizeof plain);
    snprintf(to->text, sizeof to->text, "%s:%ld", plain, port);
    return 1;
  }
  if (inet_pton(AF_INET6, address, &to->name.v6.sin6_addr) != 1) return 0;
  to->name.v6.sin6_family = AF_INET6;
  to->name.v6.sin6_port = htons((unsigned short)port);
  to->length = sizeof to->name.v6;
  inet_ntop(AF_INET6, &to->name.v6.sin6_addr, plain, sizeof plain);
  snprintf(to->text, sizeof to->text, "[%s]:%ld", plain, port);
  return 1;
}

static void turn_on(int fd, int level, int option) {
  const int on = 1;
  setsockopt(fd, level, option, &on, sizeof on);
}

static int bound(const struct endpoint *at, int type) {
  const int bytes = BUFFER_BYTES;
  const int family = at->name.any.sa_family;
  const int fd = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  if (family == AF_INET6) turn_on(fd, IPPROTO_IPV6, IPV6_V6ONLY);
  /* Connections of a process that has ended, in TIME_WAIT. */
  if (type == SOCK_STREAM) turn_on(fd, SOL_SOCKET, SO_REUSEADDR);
  /* Without SO_REUSEPORT, so that it fails where somebody serves, whose clients would wait for us. */
  if (bind(fd, &at->name.any, at->length) < 0) return close(fd), -1;
  turn_on(fd, SOL_SOCKET, SO_REUSEPORT);
  if (type == SOCK_STREAM) {
    if (listen(fd, BACKLOG) < 0) return close(fd), -1;
  } else if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes) < 0) {
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
  }
  return fd;
}

/* Keeps it open through exec. */
static int kept(int fd) {
  const int high = fcntl(fd, F_DUPFD, FIRST_FD);
  close(fd);
  return high;
}

/* Adds `IP:PORT=UDP,TCP;` for each address that could be opened. */
static void open_all(char *addresses, long port) {
  char list[ADDRESSES_MAX * (INET6_ADDRSTRLEN + 40)] = "";
  size_t used = 0;
  int count = 0;
  for (char *rest = addresses, *one; count < ADDRESSES_MAX && (one = strsep(&rest, ",")) != NULL; count++) {
    struct endpoint at;
    if (!read_endpoint(one, port, &at)) continue;
    const int tcp = bound(&at, SOCK_STREAM);
    if (tcp < 0) continue;
    const int udp = bound(&at, SOCK_DGRAM);
    if (udp < 0) {
      close(tcp);
      continue;
    }
    used += (size_t)snprintf(list + used, sizeof list - used, "%s=%d,%d;", at.text, kept(udp), kept(tcp));
  }
  if (used > 0) setenv("NEARDNS_FIRST_SOCKETS", list, 1);
}

/* The value of a flag that is written in one of Go's ways; NULL when this is another flag. */
static const char *value_of(const char *argument, const char *name, const char *next) {
  if (*argument != '-') return NULL;
  argument += argument[1] == '-' ? 2 : 1;
  const size_t length = strlen(name);
  if (strncmp(argument, name, length) != 0) return NULL;
  if (argument[length] == '=') return argument + length + 1;
  return argument[length] == '\0' ? next : NULL;
}

static void open_first(char **arguments) {
  const char *addresses = NULL, *port = "53", *found;
  for (char **at = arguments; *at != NULL; at++) {
    const char *next = at[1];
    if ((found = value_of(*at, "localip", next)) != NULL) addresses = found;
    if ((found = value_of(*at, "dns.port", next)) != NULL) port = found;
    if ((found = value_of(*at, "p", next)) != NULL) port = found;
  }
  char *end = "";
  const long number = strtol(port, &end, 10);
  char *copy = addresses == NULL ? NULL : strdup(addresses);
  if (copy == NULL || *end != '\0' || number < 1 || number > 65535) return;
  open_all(copy, number);
}

/* Where our program is: beside this one. */
static int main_path(char *path, size_t size) {
  static const char name[] = "main.js";
  const ssize_t length = readlink("/proc/self/exe", path, size - sizeof name);
  if (length < 0) return 0;
  path[length] = '\0';
  char *slash = strrchr(path, '/');
  if (slash == NULL) return 0;
  memcpy(slash + 1, name, sizeof name);
  return 1;
}

int main(int count, char **arguments) {
  static const char node_cache[] = "node-cache";
  char path[PATH_MAX];
  char **to = calloc((size_t)count + 4, sizeof *to);
  if (to == NULL || count < 1 || !main_path(path, sizeof path)) {
    fprintf(stderr, "neardns: no memory, or /proc is not there\n");
    return 1;
  }
  const char *slash = strrchr(arguments[0], '/');
  const int is_named = strcmp(slash == NULL ? arguments[0] : slash + 1, node_cache) == 0;
  /* Node knows nothing of the name that this program was called by. */
  int n = 0;
  to[n++] = "node";
  to[n++] = path;
  if (is_named) to[n++] = (char *)node_cache;
  for (int i = 1; i < count; i++) to[n++] = arguments[i];
  /* `run` and the other verbs have no such flag. */
  open_first(arguments + 1);
  execv(NODE, to);
  fprintf(stderr, "neardns: %s: %s\n", NODE, strerror(errno));
  return 127;
}
