#!/usr/bin/env bash
# A release's last look at what it is about to publish: is all in the image that must be, and does the daemon start as the image's user
# on port 53 and answer? Under emulation the kernel gives no file capability to what it starts, so there the port is 5353.
#
#   scripts/try-image.sh ARCHIVE amd64|arm64
#
# Needs root, buildah, util-linux, libcap2-bin and binutils; another architecture than the machine's needs binfmt_misc with qemu.
set -euo pipefail

archive=${1:?archive}
arch=${2:?amd64 or arm64}
export BUILDAH_ISOLATION=chroot

container=$(buildah from --arch "$arch" "oci-archive:$archive")
trap 'buildah rm "$container" >/dev/null' EXIT
root=$(buildah mount "$container")

[ "$(getcap "$root/usr/local/bin/node")" = "$root/usr/local/bin/node cap_net_bind_service=ep" ] || { echo 'the file capability is lost'; exit 1; }
for tool in ip iptables nft sh sleep neardns /node-cache; do
  [ -n "$(chroot "$root" sh -c "command -v $tool")" ] || { echo "no $tool in the image"; exit 1; }
done

# Kernels of arm64 may have pages of 64 KiB, and load nothing that is aligned to less.
if [ "$arch" = arm64 ]; then
  for file in "$root/usr/local/bin/node" "$root/app/node_modules/@koromix/koffi-linux-arm64/linux_arm64/koffi.node"; do
    if readelf -lW "$file" | grep '^ *LOAD' | grep -qvE ' 0x[1-9a-f][0-9a-f]{4,}$'; then
      echo "$file has a segment that is aligned to less than 64 KiB"
      exit 1
    fi
  done
fi

# Namespaces of its own: port 53 is free there, and nothing leaves it. The demo brings stand-ins for CoreDNS and the Internet, loads every part
# of the daemon and ends by itself.
port=53
[ "$(uname -m)" = "$(case $arch in amd64) echo x86_64 ;; *) echo aarch64 ;; esac)" ] || port=5353
# shellcheck disable=SC2016 # expanded by the inner shell
unshare --net --pid --fork --mount -- sh -eu -c '
  ip link set lo up
  mount -t proc proc "$1/proc"
  exec chroot --userspec=65532:65532 "$1" /usr/local/bin/node /app/dist/main.js demo --once --port "$2"
' sh "$root" "$port"
echo "$arch: started as 65532 on port $port, and answered"
