#!/usr/bin/env bash
# The cluster's two network namespaces: the node, and all the world there is for it (its gateway and resolver). The world has no way on,
# so that nothing of the cluster reaches the machine's own network.
#
#   network.sh up|down NODE_NS WORLD_NS NODE_IP WORLD_IP POD_CIDR
set -euo pipefail
verb=$1 node=$2 world=$3 node_ip=$4 world_ip=$5 pods=$6

up() {
  ip netns add "$world"; ip netns add "$node"
  ip -n "$world" link set lo up; ip -n "$node" link set lo up
  ip -n "$node" link add eth0 type veth peer name eth0 netns "$world"
  ip -n "$node" addr add "$node_ip/24" dev eth0; ip -n "$node" link set eth0 up
  ip -n "$world" addr add "$world_ip/24" dev eth0; ip -n "$world" link set eth0 up
  ip -n "$node" route add default via "$world_ip"
  # Answers to pods that were not masqueraded.
  ip -n "$world" route add "$pods" via "$node_ip"
  nsenter --net="/run/netns/$node" sysctl -qw net.ipv4.ip_forward=1
  # As kubeadm asks for; only where the module br_netfilter is there.
  nsenter --net="/run/netns/$node" sysctl -qw net.bridge.bridge-nf-call-iptables=1 net.bridge.bridge-nf-call-ip6tables=1 2>/dev/null || true
}

down() {
  local ns i
  for ns in "$node" "$world"; do
    [ -e "/run/netns/$ns" ] || continue
    for i in $(seq 50); do [ -n "$(ip netns pids "$ns")" ] || break; sleep 0.1; done
    ip netns del "$ns"
  done
}

"$verb"
