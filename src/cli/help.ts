/** What `--help` prints: one screen of 25 lines and 80 columns. */
export const helpText = `neardns - DNS cache for the node it runs on

  neardns [run] [flags]       serve DNS on UDP and TCP [127.0.0.1:5353]
  neardns demo                a cluster, the internet and neardns in one process
  neardns query NAME [TYPE]   ask a running server [--server IP:PORT] [--tcp]
  neardns explain NAME [TYPE] what a name would get, and why [--admin IP:PORT]
  neardns validate FILE       check a configuration or a node-cache's Corefile
  neardns import COREFILE     print the configuration that serves the same
  neardns rules show|apply|remove [--dry-run]  what is put on this node, and why
  neardns node-cache -help    in the place of NodeLocal DNSCache

Flags of run (they win over the file):
  --config FILE               YAML; all settings: docs/configuration.md
  --listen IP:PORT            address to serve; repeats
  --cluster-domain DOMAIN     goes to the cluster upstreams [cluster.local]
  --cluster-upstream IP:PORT  CoreDNS; TCP unless udp://, tls://; repeats
  --upstream IP:PORT          everything else; tcp://IP, tls://IP[:853][#name];
                              repeats [those in /etc/resolv.conf]
  --admin IP:PORT             metrics, health, readiness; repeats [off]
  --log-level LEVEL           fatal error warn info debug trace silent [info]
  --io auto|portable|batched  how UDP is read and written [auto]
  --help, --version
Exit codes: 0 fine, 1 failed, 2 wrong command line or configuration.
Try it: neardns demo, then dig @127.0.0.1 -p 5353 example.com
`
