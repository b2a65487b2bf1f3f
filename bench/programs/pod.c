/*
 * A pod's resolver, as cheap as one can be: plays queries from a file (records: length in 2 bytes, query) at a server of either family and
 * prints one line of JSON. With --window N so many are sent together and all their replies are awaited; 1 is a stub resolver: send, sleep in
 * poll, receive; with --spin it polls without sleeping, and nobody needs to be woken up for it. With --rate they leave one by one at that rate whatever comes back, and latency ends when the kernel takes the reply in
 * (SO_TIMESTAMPNS). A reply must repeat ID and question; with --answers it must also be NOERROR with an answer.
 * With --unique-from the first eight hexadecimal digits after the first letter of each name are counted up, so that no name comes twice.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "histogram.h"
#include "program.h"

enum { HEADER = 12, MESSAGE_MAX = 1500, WINDOW_MAX = 64, SLOTS = 65536, WAIT_MS = 1000 };

/* One behind the other: many names should not cost this program more than few. */
struct packet {
  uint16_t length;
  uint8_t bytes[];
};

static const char *to, *file;
static int port = 53, window = 1, needs_answers, is_unique, spins;
static double seconds = 1, rate;
static uint32_t unique;

static int fd;
static uint8_t *queries;
static size_t queries_end, next_at;
static uint64_t sent, received, wrong;
static uint64_t sent_ns[SLOTS];
static struct packet *asked[SLOTS];
static struct histogram latency;

static void read_queries(void) {
  struct stat stat;
  int in = open(file, O_RDONLY);
  if (in < 0 || fstat(in, &stat) != 0) die(file);
  queries_end = (size_t)stat.st_size;
  queries = malloc(queries_end);
  if (queries_end < 2 || read(in, queries, queries_end) != stat.st_size) die(file);
  close(in);
  for (size_t at = 0; at < queries_end; at += sizeof(struct packet) + ((struct packet *)(queries + at))->length) {
    struct packet *one = (struct packet *)(queries + at);
    one->length = ntohs(one->length);
  }
}

static void open_socket(void) {
  int size = 4 << 20, on = 1, is_v6 = strchr(to, ':') != NULL;
  struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
  if (inet_pton(is_v6 ? AF_INET6 : AF_INET, to, is_v6 ? (void *)&v6.sin6_addr : (void *)&v4.sin_addr) != 1) die(to);
  fd = socket(is_v6 ? AF_INET6 : AF_INET, SOCK_DGRAM, 0);
  if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) != 0) setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  if (rate > 0) setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
  if (connect(fd, is_v6 ? (void *)&v6 : (void *)&v4, is_v6 ? sizeof v6 : sizeof v4) != 0) die("connect");
}

/* The next query, with an ID of its own. */
static struct packet *next(void) {
  struct packet *query = (struct packet *)(queries + next_at);
  uint16_t id = (uint16_t)sent++;
  next_at += sizeof *query + query->length;
  if (next_at >= queries_end) next_at = 0;
  query->bytes[0] = (uint8_t)(id >> 8);
  query->bytes[1] = (uint8_t)id;
  if (is_unique) {
    uint32_t digits = unique++;
    for (int i = 8; i > 0; i--, digits >>= 4) query->bytes[HEADER + 1 + i] = (uint8_t) "0123456789abcdef"[digits & 15];
  }
  asked[id] = query;
  return query;
}

static void take(const uint8_t *reply, int length) {
  const struct packet *query = length < HEADER ? NULL : asked[reply[0] << 8 | reply[1]];
  if (!query) {
    wrong++;
    return;
  }
  /* The name ends before the query's tail; what is compared is the query's part that a reply repeats. */
  int end = HEADER;
  while (query->bytes[end]) end += query->bytes[end] + 1;
  end += 5;
  int is_right = (reply[2] & 0x80) && length >= end && memcmp(reply + HEADER, query->bytes + HEADER, (size_t)(end - HEADER)) == 0;
  if (needs_answers && ((reply[3] & 15) || !(reply[6] | reply[7]))) is_right = 0;
  if (!is_right) wrong++;
  received++;
}

static int is_readable(int wait_ms) {
  struct pollfd polled = {fd, POLLIN, 0};
  if (!spins) return poll(&polled, 1, wait_ms) > 0;
  for (uint64_t end_ns = now_ns() + (uint64_t)wait_ms * 1000000u; now_ns() < end_ns;)
    if (poll(&polled, 1, 0) > 0) return 1;
  return 0;
}

static void singly(uint64_t end_ns) {
  uint8_t reply[MESSAGE_MAX];
  while (now_ns() < end_ns) {
    struct packet *query = next();
    if (send(fd, query->bytes, query->length, 0) < 0 || !is_readable(WAIT_MS)) continue;
    int length = (int)recv(fd, reply, sizeof reply, 0);
    take(reply, length);
  }
}

static void in_bursts(uint64_t end_ns) {
  static uint8_t replies[WINDOW_MAX][MESSAGE_MAX];
  static struct iovec out[WINDOW_MAX], in[WINDOW_MAX];
  static struct mmsghdr outgoing[WINDOW_MAX], incoming[WINDOW_MAX];
  for (int i = 0; i < window; i++) {
    outgoing[i].msg_hdr = (struct msghdr){.msg_iov = &out[i], .msg_iovlen = 1};
    incoming[i].msg_hdr = (struct msghdr){.msg_iov = &in[i], .msg_iovlen = 1};
    in[i] = (struct iovec){replies[i], MESSAGE_MAX};
  }
  while (now_ns() < end_ns) {
    for (int i = 0; i < window; i++) {
      struct packet *query = next();
      out[i] = (struct iovec){query->bytes, query->length};
    }
    for (int done = 0; done < window;) {
      int n = sendmmsg(fd, outgoing + done, (unsigned)(window - done), 0);
      done += n > 0 ? n : 1;
    }
    for (int left = window; left > 0 && is_readable(WAIT_MS);) {
      int n = recvmmsg(fd, incoming, (unsigned)left, MSG_DONTWAIT, NULL);
      for (int i = 0; i < n; i++) take(replies[i], (int)incoming[i].msg_len);
      left -= n > 0 ? n : 0;
    }
  }
}

static void receive_stamped(void) {
  uint8_t reply[MESSAGE_MAX], control[64];
  struct iovec part = {reply, sizeof reply};
  for (;;) {
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    int length = (int)recvmsg(fd, &message, MSG_DONTWAIT);
    if (length < 0) return;
    struct timespec stamp = {0, 0};
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);
    if (head && head->cmsg_type == SO_TIMESTAMPNS) memcpy(&stamp, CMSG_DATA(head), sizeof stamp);
    uint64_t at = (uint64_t)stamp.tv_sec * 1000000000u + (uint64_t)stamp.tv_nsec, from = sent_ns[reply[0] << 8 | reply[1]];
    take(reply, length);
    histogram_add(&latency, at > from ? at - from : 0);
  }
}

static void paced(uint64_t start_ns, uint64_t end_ns) {
  for (uint64_t now; (now = now_ns()) < end_ns;) {
    uint64_t due_ns = start_ns + (uint64_t)((double)sent * 1e9 / rate);
    if (now < due_ns) {
      struct pollfd polled = {fd, POLLIN, 0};
      struct timespec wait = {0, (long)(due_ns - now)};
      if (ppoll(&polled, 1, &wait, NULL) > 0) receive_stamped();
      continue;
    }
    uint16_t id = (uint16_t)sent;
    struct packet *query = next();
    sent_ns[id] = now_ns();
    if (send(fd, query->bytes, query->length, 0) < 0) continue;
  }
  while (is_readable(WAIT_MS) && received < sent) receive_stamped();
}

static double cpu_us(void) {
  struct timespec used;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return (double)used.tv_sec * 1e6 + (double)used.tv_nsec / 1e3;
}

int main(int argc, char **argv) {
  static const struct option known[] = {{"to", 1, 0, 't'},   {"port", 1, 0, 'p'},   {"queries", 1, 0, 'q'},     {"seconds", 1, 0, 's'}, {"window", 1, 0, 'w'},
                                        {"rate", 1, 0, 'r'}, {"answers", 0, 0, 'a'}, {"spin", 0, 0, 'b'}, {"unique-from", 1, 0, 'u'}, {0, 0, 0, 0}};
  for (int flag; (flag = getopt_long(argc, argv, "", known, NULL)) != -1;) {
    if (flag == 't') to = optarg;
    else if (flag == 'p') port = atoi(optarg);
    else if (flag == 'q') file = optarg;
    else if (flag == 's') seconds = atof(optarg);
    else if (flag == 'w') window = atoi(optarg);
    else if (flag == 'r') rate = atof(optarg);
    else if (flag == 'a') needs_answers = 1;
    else if (flag == 'b') spins = 1;
    else if (flag == 'u') is_unique = 1, unique = (uint32_t)strtoul(optarg, NULL, 10);
    else return 2;
  }
  if (!to || !file || seconds <= 0 || window < 1 || window > WINDOW_MAX) {
    fprintf(stderr, "pod --to ADDRESS --queries FILE [--port N] [--seconds S] [--window N [--spin] | --rate QPS] [--answers] [--unique-from N]\n");
    return 2;
  }
  read_queries();
  open_socket();
  prctl(PR_SET_TIMERSLACK, 1);
  uint64_t start = now_ns(), end = start + (uint64_t)(seconds * 1e9);
  double before = cpu_us();
  if (rate > 0) paced(start, end);
  else if (window == 1) singly(end);
  else in_bursts(end);
  printf("{\"sent\":%lu,\"received\":%lu,\"wrong\":%lu,\"cpuUs\":%.1f,\"seconds\":%.4f,\"p50Us\":%.1f,\"p99Us\":%.1f,\"p999Us\":%.1f}\n", sent, received, wrong,
         cpu_us() - before, (double)(now_ns() - start) / 1e9, histogram_us(&latency, 0.5), histogram_us(&latency, 0.99), histogram_us(&latency, 0.999));
  return 0;
}
