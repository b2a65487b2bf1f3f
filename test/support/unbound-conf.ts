/**
 * How unbound is configured to run in the foreground and out of its usual places, in one thread; further lines of `server:` may follow.
 * https://nlnetlabs.nl/documentation/unbound/unbound.conf/
 */
export const foreground = `remote-control:
  control-enable: no
server:
  verbosity: 1
  use-syslog: no
  logfile: ""
  do-daemonize: no
  chroot: ""
  username: ""
  directory: "/"
  pidfile: ""
  num-threads: 1
`
