/*
 * Looks up each name that comes on a line of standard input with the C library's getaddrinfo, one after another in one
 * process, and prints for each "NAME MICROSECONDS ok ADDRESS...", "NAME MICROSECONDS none" or "NAME MICROSECONDS fail WHY".
 */
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

static long long now_us(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000LL + now.tv_nsec / 1000;
}

static int is_absent(int code) {
#ifdef EAI_NODATA
  if (code == EAI_NODATA) return 1;
#endif
  return code == EAI_NONAME || code == -5;
}

int main(void) {
  char name[300];
  while (fgets(name, sizeof name, stdin)) {
    name[strcspn(name, "\n")] = 0;
    struct addrinfo hints, *found = NULL;
    memset(&hints, 0, sizeof hints);
    hints.ai_socktype = SOCK_STREAM;
    long long start = now_us();
    int code = getaddrinfo(name, NULL, &hints, &found);
    printf("%s %lld ", name, now_us() - start);
    if (code == 0) printf("ok");
    else if (is_absent(code)) printf("none");
    else printf("fail %s", gai_strerror(code));
    for (struct addrinfo *each = found; each; each = each->ai_next) {
      char text[NI_MAXHOST];
      if (getnameinfo(each->ai_addr, each->ai_addrlen, text, sizeof text, NULL, 0, NI_NUMERICHOST) == 0)
        printf(" %s", text);
    }
    printf("\n");
    fflush(stdout);
    if (found) freeaddrinfo(found);
  }
  return 0;
}
