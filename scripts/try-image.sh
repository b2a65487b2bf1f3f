#!/usr/bin/env bash
# Starts an image from its archive as Kubernetes would start it (its own user, its own entry point), in a container without a network of others, and asks it
# once over UDP and TCP through the program's own client. For a release's last look at what it is about to publish.
#
#   scripts/try-image.sh ARCHIVE amd64|arm64
#
# Needs root, buildah and util-linux; another architecture than the machine's needs binfmt_misc with qemu.
set -euo pipefail

archive=${1:?archive}
arch=${2:?amd64 or arm64}
export BUILDAH_ISOLATION=chroot

container=$(buildah from --arch "$arch" "oci-archive:$archive")
trap 'buildah rm "$container" >/dev/null' EXIT
root=$(buildah mount "$container")

[ "$(getcap "$root/usr/local/bin/node")" = "$root/usr/local/bin/node cap_net_bind_service=ep" ] || { echo 'the file capability is lost'; exit 1; }
for tool in ip iptables nft; do
  [ -n "$(chroot "$root" sh -c "command -v $tool")" ] || { echo "no $tool in the image"; exit 1; }
done

# Namespaces of its own: port 53 is free there, and nothing leaves it. The demo brings stand-ins for CoreDNS and the Internet, loads every part
# of the daemon and ends by itself.
# shellcheck disable=SC2016 # expanded by the inner shell
unshare --net --pid --fork --mount -- sh -eu -c '
  ip link set lo up
  mount -t proc proc "$1/proc"
  exec chroot --userspec=65532:65532 "$1" /usr/local/bin/node /app/dist/main.js demo --once --port 53
' sh "$root"
echo "$arch: started as 65532 on port 53, and answered"
