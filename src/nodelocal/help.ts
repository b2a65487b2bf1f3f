/** What `-help` and `-plugins` print in the place of node-cache: one screen. */

export const nodeCacheHelp = `neardns node-cache - in the place of NodeLocal DNSCache's program

  -localip IP[,IP]             addresses to serve; needed
  -conf FILE                   Corefile, rendered from the template if there is one
                               [/etc/Corefile]; -corefile means the same
  -basecorefile FILE           template [/etc/coredns/Corefile.base]; its file is watched
  -kubednscm DIRECTORY         ConfigMap of kube-dns [/etc/kube-dns if it is there]
  -upstreamsvc NAME            Service of CoreDNS [kube-dns]; its address is read from
                               the environment
  -setupinterface=false        leave the link and the addresses to another program
  -setupiptables=false         no rules
  -skipteardown                what a stop leaves: address and standby rule [the same];
                               with =false nothing
  -interfacename NAME          [nodelocaldns]
  -metrics-listen-address IP:PORT     [0.0.0.0:9353]
  -prometheus-listen-address IP:PORT  for __PROMETHEUS__ENDPOINT__ [:9253]
  -p PORT, -dns.port PORT      [53]
  -pidfile FILE                written once DNS is served
  -health-port, -syncinterval, -reloadwithsignal, -quiet   no effect: what they
                               are for happens by itself
  -version, -plugins, -help

One dash or two, -x VALUE or -x=VALUE. docs/nodelocal.md says what differs.
`
