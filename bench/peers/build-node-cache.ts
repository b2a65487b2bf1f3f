/**
 * `npm run bench:build-node-cache`: builds CoreDNS with the plugins of NodeLocal DNSCache (node-cache.go), for its own program cannot be had as a
 * Go module. Into the cache directory, once; some two minutes.
 */
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { corednsVersion, goPath, nodeCachePath } from '../../test/support/needs.ts'

const program = goPath()
if (program === undefined) throw new Error('go is missing: install Go 1.26 or newer')
const module = join(dirname(nodeCachePath()), 'module')
mkdirSync(module, { recursive: true })
copyFileSync(join(import.meta.dirname, 'node-cache.go'), join(module, 'main.go'))
const go = (...args: readonly string[]) =>
  execFileSync(program, args, {
    cwd: module,
    env: { ...process.env, CGO_ENABLED: '0' },
    stdio: 'inherit',
  })
go('mod', 'init', 'node-cache.invalid')
go('get', `github.com/coredns/coredns@${corednsVersion}`)
// The sums of what its packages import are added on the way.
go('build', '-mod=mod', '-ldflags=-s -w', '-o', nodeCachePath())
