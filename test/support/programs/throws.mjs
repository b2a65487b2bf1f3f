// Loaded with --import into a daemon. SIGUSR2 makes it throw where nobody catches; SIGPROF makes it take memory until
// the kernel ends it.
process.on('SIGUSR2', () => {
  throw new Error('injected by a test')
})
const hoard = []
process.on('SIGPROF', () => {
  for (;;) hoard.push(Buffer.alloc(1 << 20, 1))
})
