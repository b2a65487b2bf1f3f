#!/usr/bin/env bash
# Process 1 of the node: makes the node's own view of the file system, then only waits. When it ends, the kernel ends every process of
# the node, and its mounts go with the namespace. Never touches a file of the machine: all it changes lies on mounts of this namespace.
#
#   node-init.sh STATE HOSTNAME IPTABLES NFT
# IPTABLES: nft or legacy, what `iptables` means on the node. NFT: a program to put in the place of the node's `nft`, or `-`.
set -euo pipefail
state=$1 hostname=$2 iptables=$3 nft=$4

mount --make-rslave / && mount --make-rshared /
mount -t tmpfs tmpfs /run
mkdir -p /run/lock /run/containerd
over() { mkdir -p "$1" "$2"; mount --bind "$1" "$2"; }
over "$state/kubelet" /var/lib/kubelet
over "$state/containerd" /var/lib/containerd
over "$state/cni-state" /var/lib/cni
over "$state/cni-conf" /etc/cni/net.d
over "$state/varlog" /var/log
mount --bind "$state/resolv.conf" "$(readlink -f /etc/resolv.conf)"

# What Debian's alternatives choose on this node, whatever the machine chose.
cp -a /etc/alternatives "$state/alternatives"
for program in iptables ip6tables; do
  for verb in '' -save -restore; do
    [ ! -x "/usr/sbin/$program-$iptables$verb" ] || ln -sfn "/usr/sbin/$program-$iptables$verb" "$state/alternatives/$program$verb"
  done
done
mount --bind "$state/alternatives" /etc/alternatives
[ "$nft" = - ] || mount --bind "$nft" "$(readlink -f "$(command -v nft)")"

hostname "$hostname"
touch "$state/node.ready"
exec tail -f /dev/null
