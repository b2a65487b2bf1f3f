#!/usr/bin/env bash
# Makes a certificate authority, the identities of the cluster's components and their kubeconfigs, for 30 days.
# Never used outside of the test cluster.
#
#   pki.sh STATE NODE_NAME NODE_IP KUBERNETES_IP CLUSTER_DOMAIN
set -euo pipefail
state=$1 node_name=$2 node_ip=$3 kubernetes_ip=$4 domain=$5
pki=$state/pki
mkdir -p "$pki"
new_key=(-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes)

# identity NAME USER GROUP [EXTENSION]: RBAC knows the owner of the certificate as USER of GROUP.
identity() {
  openssl req -new "${new_key[@]}" -subj "/O=$3/CN=$2" -keyout "$pki/$1.key" -out "$pki/$1.csr"
  openssl x509 -req -in "$pki/$1.csr" -CA "$pki/ca.crt" -CAkey "$pki/ca.key" -CAcreateserial -days 30 \
    -extfile <(printf '%s\n' 'extendedKeyUsage=clientAuth,serverAuth' "${4:-}") -out "$pki/$1.crt"
  cat >"$state/$1.kubeconfig" <<Y
apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "https://$node_ip:6443", certificate-authority: $pki/ca.crt}}]
users: [{name: u, user: {client-certificate: $pki/$1.crt, client-key: $pki/$1.key}}]
contexts: [{name: x, context: {cluster: c, user: u}}]
current-context: x
Y
}

{
  openssl req -x509 "${new_key[@]}" -days 30 -subj /CN=neardns-test-ca -keyout "$pki/ca.key" -out "$pki/ca.crt"
  openssl genrsa -out "$pki/sa.key" 2048
  openssl rsa -in "$pki/sa.key" -pubout -out "$pki/sa.pub"
  service=kubernetes.default.svc
  identity apiserver kube-apiserver kubernetes \
    "subjectAltName=IP:127.0.0.1,IP:$node_ip,IP:$kubernetes_ip,DNS:localhost,DNS:kubernetes,DNS:kubernetes.default,DNS:$service,DNS:$service.$domain"
  identity admin admin system:masters
  identity kubelet-client kube-apiserver-kubelet-client system:masters
  identity controller-manager system:kube-controller-manager system:kube-controller-manager
  identity scheduler system:kube-scheduler system:kube-scheduler
  identity kube-proxy system:kube-proxy system:node-proxier
  identity kubelet "system:node:$node_name" system:nodes
} 2>"$pki/openssl.log" || { cat "$pki/openssl.log" >&2; exit 1; }
