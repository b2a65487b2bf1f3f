/*
 * Sends UDP packets with any source address and port, 0 included, which no ordinary socket can do.
 * Reads lines "SOURCE-IP SOURCE-PORT DESTINATION-IP DESTINATION-PORT HEX" from stdin; IPv4 only; needs CAP_NET_RAW.
 * A bad line or a failed send ends it with exit code 1.
 */
#include <arpa/inet.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static char line[140000];
static unsigned char packet[65536];

static int payload_from_hex(const char *hex, unsigned char *out, int room) {
  int length = 0;
  unsigned octet;
  while (length < room && sscanf(hex + 2 * length, "%2x", &octet) == 1) out[length++] = octet;
  return length;
}

int main(void) {
  int on = 1, raw = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
  if (raw < 0 || setsockopt(raw, IPPROTO_IP, IP_HDRINCL, &on, sizeof on) < 0) return perror("socket"), 1;
  while (fgets(line, sizeof line, stdin)) {
    char source[64], destination[64];
    unsigned source_port, destination_port;
    int hex_at = 0;
    if (sscanf(line, "%63s %u %63s %u %n", source, &source_port, destination, &destination_port, &hex_at) < 4 || !hex_at)
      return fprintf(stderr, "bad line: %s", line), 1;
    struct iphdr *ip = (struct iphdr *)packet;
    struct udphdr *udp = (struct udphdr *)(packet + sizeof *ip);
    memset(packet, 0, sizeof *ip + sizeof *udp);
    int payload = payload_from_hex(line + hex_at, packet + sizeof *ip + sizeof *udp, 65507);
    int total = sizeof *ip + sizeof *udp + payload;
    ip->version = 4;
    ip->ihl = 5;
    ip->ttl = 64;
    ip->protocol = IPPROTO_UDP;
    ip->saddr = inet_addr(source);
    ip->daddr = inet_addr(destination);
    ip->tot_len = htons(total);
    udp->source = htons(source_port);
    udp->dest = htons(destination_port);
    udp->len = htons(sizeof *udp + payload); /* checksum 0: none, which IPv4 allows */
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = ip->daddr};
    if (sendto(raw, packet, total, 0, (struct sockaddr *)&to, sizeof to) != total) return perror("sendto"), 1;
  }
  return 0;
}
