/** Holds programs/tc-echo.bpf.c at an interface of the namespace that it runs in, until it is told to end. node tc-echo.ts INTERFACE */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { compileHits } from '../../build-kernel.ts'
import { linkTcx, loadClassifier } from '../../src/system/bpf.ts'
import { loadSystemCalls } from '../../src/system/system-calls.ts'

const calls = loadSystemCalls()
const source = join(import.meta.dirname, '..', 'programs', 'tc-echo.bpf.c')
const instructions = Buffer.from(compileHits(source).instructions, 'base64')
const ifindex = Number(readFileSync(`/sys/class/net/${process.argv[2]}/ifindex`, 'latin1'))
linkTcx(calls, loadClassifier(calls, instructions, 'tc_echo'), ifindex)
process.stdout.write('ready\n')
process.stdin.resume()
