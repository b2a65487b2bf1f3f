/*
 * The load generator: plays queries from a file at a DNS server on 127.0.0.1, checks every reply against truth.h, prints one line of
 * JSON. Either a fixed number of queries is out (--window, for saturation) or they leave at a fixed rate whatever comes back
 * (--rate, for latency). Latency ends when the kernel takes the reply in (SO_TIMESTAMPNS), not when this program gets to run.
 * The file holds records: length in 2 bytes, query. In a first label `u00000000`, `no-u00000000` or `many-u00000000` the digits are
 * counted up from --unique-from, so that the name is new each time. --total N ends after so many queries, --once after those of the file.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "histogram.h"
#include "program.h"
#include "truth.h"

enum { SLOTS = 8192, BATCH = 32, SOCKETS_MAX = 64, EXAMPLE_MAX = 3 };

struct slot {
  uint64_t sent_ns;
  uint32_t query;
  uint32_t unique;
  int is_out;
};

struct lane {
  int fd;
  uint16_t next_id;
  struct slot slots[SLOTS];
};

static struct options {
  int port, sockets, window, once;
  double seconds, rate;
  uint32_t total, unique_from, ttl_max, slow_us;
  enum check check;
  const char *file;
} options = {.sockets = 16, .window = 128, .seconds = 2, .check = CHECK_LOOSE, .ttl_max = 86400, .slow_us = 5000};

static struct lane *lanes;
static const uint8_t **queries;
static uint16_t *query_lengths;
static uint32_t query_count, next_query, next_unique;
static uint64_t sent, received, lost, wrong, servfail, send_errors, slow, out;
static struct histogram latency, lateness;
static volatile sig_atomic_t is_over;

static void read_queries(void) {
  struct stat stat;
  int fd = open(options.file, O_RDONLY);
  if (fd < 0 || fstat(fd, &stat) != 0) die(options.file);
  const uint8_t *data = mmap(NULL, (size_t)stat.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
  if (data == MAP_FAILED) die(options.file);
  for (off_t at = 0; at + 2 <= stat.st_size; at += 2 + get16(data + at)) query_count++;
  queries = calloc(query_count, sizeof *queries);
  query_lengths = calloc(query_count, sizeof *query_lengths);
  uint32_t n = 0;
  for (off_t at = 0; at + 2 <= stat.st_size; at += 2 + get16(data + at)) {
    queries[n] = data + at + 2;
    query_lengths[n++] = get16(data + at);
  }
  close(fd);
}

static void open_lanes(void) {
  int size = 4 << 20, on = 1;
  lanes = calloc((size_t)options.sockets, sizeof *lanes);
  for (int i = 0; i < options.sockets; i++) {
    /* Each has an address of its own, as pods have. */
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f010001u + (uint32_t)i)};
    struct sockaddr_in server = {.sin_family = AF_INET, .sin_port = htons((uint16_t)options.port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = lanes[i].fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    if (fd < 0) die("socket");
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) != 0) setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    /* Not at saturation: stamping would cost the server some 20 ns a packet. */
    if (options.rate > 0) setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
    if (bind(fd, (struct sockaddr *)&own, sizeof own) != 0) die("bind");
    if (connect(fd, (struct sockaddr *)&server, sizeof server) != 0) die("connect");
    lanes[i].next_id = (uint16_t)(now_ns() >> (10 + i % 8));
  }
}

/* The query as it was or will be sent. */
static int compose(uint8_t *packet, uint32_t query, uint32_t unique, uint16_t id) {
  memcpy(packet, queries[query], query_lengths[query]);
  put16(packet, id);
  uint8_t *label = packet + HEADER + 1;
  if (memcmp(label, "no-", 3) == 0) label += 3;
  else if (memcmp(label, "many-", 5) == 0) label += 5;
  if (label[0] == 'u')
    for (int i = 8; i > 0; i--, unique >>= 4) label[i] = (uint8_t) "0123456789abcdef"[unique & 15];
  return query_lengths[query];
}

static int is_all_sent(void) { return options.total > 0 && next_query >= options.total; }

static void send_batch(struct lane *lane, int count) {
  static uint8_t packets[BATCH][MESSAGE_MAX];
  struct iovec parts[BATCH];
  struct mmsghdr messages[BATCH];
  uint64_t now = now_ns();
  int n = 0;
  for (; n < count && !is_all_sent(); n++) {
    uint16_t id = lane->next_id++;
    struct slot *slot = &lane->slots[id % SLOTS];
    if (slot->is_out) lost++;
    else out++;
    *slot = (struct slot){now, next_query % query_count, next_unique++, 1};
    int length = compose(packets[n], slot->query, slot->unique, id);
    next_query++;
    parts[n] = (struct iovec){packets[n], (size_t)length};
    messages[n].msg_hdr = (struct msghdr){.msg_iov = &parts[n], .msg_iovlen = 1};
  }
  sent += (uint64_t)n;
  for (int done = 0; done < n;) {
    int got = sendmmsg(lane->fd, messages + done, (unsigned)(n - done), 0);
    /* A refusal belongs to an earlier packet; this one counts as sent and will be lost. */
    if (got <= 0) send_errors++;
    done += got > 0 ? got : 1;
  }
}

static void show_wrong(const uint8_t *query, int query_length, const uint8_t *reply, int length) {
  if (wrong > EXAMPLE_MAX) return;
  fprintf(stderr, "wrong reply: query ");
  for (int i = 0; i < query_length; i++) fprintf(stderr, "%02x", query[i]);
  fprintf(stderr, " reply ");
  for (int i = 0; i < length; i++) fprintf(stderr, "%02x", reply[i]);
  fprintf(stderr, "\n");
}

static void take_reply(struct lane *lane, const uint8_t *reply, int length, uint64_t arrived_ns) {
  if (length < HEADER) {
    wrong++;
    return;
  }
  struct slot *slot = &lane->slots[get16(reply) % SLOTS];
  uint8_t query[MESSAGE_MAX];
  /* Too late, or answered twice: neither is counted as received. */
  if (!slot->is_out) return;
  int query_length = compose(query, slot->query, slot->unique, get16(reply));
  slot->is_out = 0;
  out--;
  received++;
  uint64_t took_ns = arrived_ns > slot->sent_ns ? arrived_ns - slot->sent_ns : 0;
  histogram_add(&latency, took_ns);
  slow += took_ns > options.slow_us * 1000ull;
  if ((reply[3] & 15) == 2 && options.check != CHECK_NONE) servfail++;
  else if (!is_right(options.check, query, query_length, reply, length, options.ttl_max)) {
    wrong++;
    show_wrong(query, query_length, reply, length);
  }
}

static uint64_t stamp_of(struct msghdr *message, uint64_t otherwise) {
  for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part; part = CMSG_NXTHDR(message, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SO_TIMESTAMPNS) continue;
    struct timespec stamp;
    memcpy(&stamp, CMSG_DATA(part), sizeof stamp);
    return (uint64_t)stamp.tv_sec * 1000000000u + (uint64_t)stamp.tv_nsec;
  }
  return otherwise;
}

/* Returns how many replies came. */
static int receive_batch(struct lane *lane) {
  static uint8_t packets[BATCH][4096], controls[BATCH][64];
  struct iovec parts[BATCH];
  struct mmsghdr messages[BATCH];
  for (int i = 0; i < BATCH; i++) {
    parts[i] = (struct iovec){packets[i], sizeof packets[i]};
    messages[i].msg_hdr = (struct msghdr){.msg_iov = &parts[i], .msg_iovlen = 1};
    if (options.rate > 0) {
      messages[i].msg_hdr.msg_control = controls[i];
      messages[i].msg_hdr.msg_controllen = sizeof controls[i];
    }
  }
  int count = recvmmsg(lane->fd, messages, BATCH, MSG_DONTWAIT, NULL);
  uint64_t now = now_ns();
  for (int i = 0; i < count; i++) take_reply(lane, packets[i], (int)messages[i].msg_len, stamp_of(&messages[i].msg_hdr, now));
  return count > 0 ? count : 0;
}

/* What is out for longer than this is lost; in a closed loop another query takes its place. */
static void give_up_before(uint64_t before_ns) {
  for (int i = 0; i < options.sockets; i++) {
    int gone = 0;
    for (int n = 0; n < SLOTS; n++) {
      struct slot *slot = &lanes[i].slots[n];
      if (!slot->is_out || slot->sent_ns >= before_ns) continue;
      slot->is_out = 0;
      out--;
      lost++;
      gone++;
    }
    for (; options.rate == 0 && !is_over && gone > 0; gone -= BATCH) send_batch(&lanes[i], gone < BATCH ? gone : BATCH);
  }
}

static void wait_and_receive(int64_t wait_ns, int answers_with_next) {
  struct pollfd polled[SOCKETS_MAX];
  struct timespec timeout = {wait_ns / 1000000000, wait_ns % 1000000000};
  for (int i = 0; i < options.sockets; i++) polled[i] = (struct pollfd){lanes[i].fd, POLLIN, 0};
  if (ppoll(polled, (nfds_t)options.sockets, &timeout, NULL) <= 0) return;
  for (int i = 0; i < options.sockets; i++) {
    if (polled[i].revents == 0) continue;
    int count = receive_batch(&lanes[i]);
    if (answers_with_next && count > 0) send_batch(&lanes[i], count);
  }
}

static const uint64_t second = 1000000000u, lost_after_ns = 2000000000u, sweep_ns = 250000000u;

static void saturate(uint64_t end_ns) {
  for (int i = 0; i < options.sockets; i++) send_batch(&lanes[i], options.window / options.sockets);
  for (uint64_t now, swept = now_ns(); (now = now_ns()) < end_ns && !is_over && !(is_all_sent() && out == 0);) {
    wait_and_receive((int64_t)sweep_ns, 1);
    if (now - swept < sweep_ns) continue;
    give_up_before(now - lost_after_ns);
    swept = now;
  }
}

static void pace(uint64_t start_ns, uint64_t end_ns) {
  int lane = 0;
  for (uint64_t now; (now = now_ns()) < end_ns && !is_over;) {
    uint64_t due = (uint64_t)((double)(now - start_ns) * options.rate / 1e9);
    if (due > sent) histogram_add(&lateness, now - start_ns - (uint64_t)((double)sent * 1e9 / options.rate));
    while (due > sent) {
      send_batch(&lanes[lane], due - sent < BATCH ? (int)(due - sent) : BATCH);
      lane = (lane + 1) % options.sockets;
    }
    int64_t wait = (int64_t)(start_ns + (uint64_t)((double)(sent + 1) * 1e9 / options.rate)) - (int64_t)now_ns();
    wait_and_receive(wait > 0 ? wait : 0, 0);
  }
}

static void stop(int signal) {
  (void)signal;
  is_over = 1;
}

static double cpu_us(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 + (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static void read_options(int argc, char **argv) {
  static const struct option known[] = {
      {"port", 1, 0, 'p'}, {"queries", 1, 0, 'q'}, {"seconds", 1, 0, 's'}, {"rate", 1, 0, 'r'},        {"window", 1, 0, 'w'},
      {"sockets", 1, 0, 'n'}, {"check", 1, 0, 'c'}, {"once", 0, 0, 'o'}, {"total", 1, 0, 'm'}, {"unique-from", 1, 0, 'u'}, {"ttl-max", 1, 0, 't'}, {"slow-us", 1, 0, 'l'}, {0, 0, 0, 0}};
  for (int flag; (flag = getopt_long(argc, argv, "", known, NULL)) != -1;) {
    if (flag == 'p') options.port = atoi(optarg);
    else if (flag == 'q') options.file = optarg;
    else if (flag == 's') options.seconds = atof(optarg);
    else if (flag == 'r') options.rate = atof(optarg);
    else if (flag == 'w') options.window = atoi(optarg);
    else if (flag == 'n') options.sockets = atoi(optarg);
    else if (flag == 'o') options.once = 1;
    else if (flag == 'm') options.total = (uint32_t)strtoul(optarg, NULL, 10);
    else if (flag == 'u') options.unique_from = (uint32_t)strtoul(optarg, NULL, 10);
    else if (flag == 't') options.ttl_max = (uint32_t)strtoul(optarg, NULL, 10);
    else if (flag == 'l') options.slow_us = (uint32_t)strtoul(optarg, NULL, 10);
    else if (flag == 'c') options.check = *optarg == 's' ? CHECK_STRICT : *optarg == 'n' ? CHECK_NONE : CHECK_LOOSE;
    else exit(2);
  }
  int is_fine = options.port > 0 && options.file && options.seconds > 0 && options.sockets > 0 && options.sockets <= SOCKETS_MAX &&
                options.window >= options.sockets && options.window / options.sockets <= BATCH;
  if (is_fine) return;
  fprintf(stderr, "load --port N --queries FILE [--seconds S] [--rate QPS | --window N] [--sockets N] [--check loose|strict|none] [--once | --total N] [--unique-from N] [--ttl-max N] [--slow-us N]\n");
  exit(2);
}

int main(int argc, char **argv) {
  read_options(argc, argv);
  read_queries();
  if (query_count == 0) {
    fprintf(stderr, "%s holds no query\n", options.file);
    return 1;
  }
  if (options.once) options.total = query_count;
  open_lanes();
  next_unique = options.unique_from;
  prctl(PR_SET_TIMERSLACK, 1);
  signal(SIGTERM, stop);
  uint64_t start = now_ns(), end = start + (uint64_t)(options.seconds * 1e9);
  if (options.rate > 0) pace(start, end);
  else saturate(end);
  double seconds = (double)(now_ns() - start) / 1e9;
  uint64_t in_time = received;
  /* Those still out may come; they count as answered, but not for the rate. */
  is_over = 1;
  for (uint64_t until = now_ns() + second; out > 0 && now_ns() < until;) wait_and_receive(10000000, 0);
  lost += out;
  printf("{\"sent\":%lu,\"received\":%lu,\"lost\":%lu,\"wrong\":%lu,\"servfail\":%lu,\"sendErrors\":%lu,\"seconds\":%.6f,\"queriesPerSecond\":%.1f,\"cpuUs\":%.0f,\"nextUnique\":%u,"
         "\"slow\":%lu,\"p50Us\":%.1f,\"p99Us\":%.1f,\"p999Us\":%.1f,\"maxUs\":%.1f,\"lateP99Us\":%.1f,\"lateMaxUs\":%.1f}\n",
         sent, received, lost, wrong, servfail, send_errors, seconds, (double)in_time / seconds, cpu_us(), next_unique,
         slow, histogram_us(&latency, 0.5), histogram_us(&latency, 0.99), histogram_us(&latency, 0.999), (double)latency.max / 1e3,
         histogram_us(&lateness, 0.99), (double)lateness.max / 1e3);
  return 0;
}
