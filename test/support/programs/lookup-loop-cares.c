/*
 * Looks up each name that comes on a line of standard input with c-ares (ares_getaddrinfo, which walks the search list),
 * one after another over one channel; prints what lookup-loop.c prints.
 */
#include <ares.h>
#include <netdb.h>
#include <netinet/in.h>
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <time.h>

static int is_done;

static long long now_us(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000LL + now.tv_nsec / 1000;
}

struct request {
  const char *name;
  long long start;
};

static void on_result(void *argument, int status, int timeouts, struct ares_addrinfo *result) {
  struct request *request = argument;
  (void)timeouts;
  is_done = 1;
  printf("%s %lld ", request->name, now_us() - request->start);
  if (status == ARES_SUCCESS) printf("ok");
  else if (status == ARES_ENOTFOUND || status == ARES_ENODATA) printf("none");
  else printf("fail %s", ares_strerror(status));
  for (struct ares_addrinfo_node *each = result ? result->nodes : NULL; each; each = each->ai_next) {
    char text[INET6_ADDRSTRLEN];
    const void *address = each->ai_family == AF_INET
      ? (const void *)&((struct sockaddr_in *)each->ai_addr)->sin_addr
      : (const void *)&((struct sockaddr_in6 *)each->ai_addr)->sin6_addr;
    if (inet_ntop(each->ai_family, address, text, sizeof text)) printf(" %s", text);
  }
  printf("\n");
  fflush(stdout);
  if (result) ares_freeaddrinfo(result);
}

static void run_until_done(ares_channel channel) {
  while (!is_done) {
    fd_set readers, writers;
    FD_ZERO(&readers);
    FD_ZERO(&writers);
    int count = ares_fds(channel, &readers, &writers);
    struct timeval most = {1, 0}, due;
    select(count, &readers, &writers, NULL, ares_timeout(channel, &most, &due));
    ares_process(channel, &readers, &writers);
  }
}

int main(void) {
  ares_channel channel;
  if (ares_library_init(ARES_LIB_INIT_ALL) != 0 || ares_init(&channel) != 0) return 1;
  char name[300];
  while (fgets(name, sizeof name, stdin)) {
    name[strcspn(name, "\n")] = 0;
    struct ares_addrinfo_hints hints;
    memset(&hints, 0, sizeof hints);
    hints.ai_flags = ARES_AI_NOSORT;
    hints.ai_socktype = SOCK_STREAM;
    struct request request = {name, now_us()};
    is_done = 0;
    ares_getaddrinfo(channel, name, NULL, &hints, on_result, &request);
    run_until_done(channel);
  }
  ares_destroy(channel);
  return 0;
}
