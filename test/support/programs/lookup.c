/* Looks up each argument with the C library's getaddrinfo; prints "NAME ADDRESS..." or "NAME error NUMBER" per line. */
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

int main(int argc, char **argv) {
  for (int i = 1; i < argc; i++) {
    struct addrinfo hints, *found = NULL;
    memset(&hints, 0, sizeof hints);
    hints.ai_socktype = SOCK_STREAM;
    int code = getaddrinfo(argv[i], NULL, &hints, &found);
    printf("%s", argv[i]);
    if (code != 0) printf(" error %d", code);
    for (struct addrinfo *each = found; each; each = each->ai_next) {
      char text[NI_MAXHOST];
      if (getnameinfo(each->ai_addr, each->ai_addrlen, text, sizeof text, NULL, 0, NI_NUMERICHOST) == 0)
        printf(" %s", text);
    }
    printf("\n");
    if (found) freeaddrinfo(found);
  }
  return 0;
}
