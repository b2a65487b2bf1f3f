/* tx-checksums INTERFACE on|off: whether the device sums what is sent (ethtool -K INTERFACE tx); on a veth "off" makes the kernel do it. */
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  struct ethtool_value value = {.cmd = ETHTOOL_STXCSUM, .data = strcmp(argv[2], "on") == 0};
  struct ifreq request = {.ifr_data = (void *)&value};
  strncpy(request.ifr_name, argv[1], IFNAMSIZ - 1);
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  if (ioctl(fd, SIOCETHTOOL, &request) != 0) {
    perror("SIOCETHTOOL");
    return 1;
  }
  value.cmd = ETHTOOL_GTXCSUM;
  if (ioctl(fd, SIOCETHTOOL, &request) != 0) return 1;
  printf("%s\n", value.data ? "on" : "off");
  return 0;
}
