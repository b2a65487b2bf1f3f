/**
 * The decoder of the OpenTelemetry collector, as a program: `npm run test:otlp-decoder` builds it ahead, once; a test that finds none builds it
 * (with Go; some forty seconds of a CPU).
 */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { buildGoOver } from './build.ts'

const module = 'go.opentelemetry.io/collector/pdata@v1.71.0'

if (import.meta.main) console.log(await otlpDecoder())

/** @returns path of the program */
export async function otlpDecoder(): Promise<string> {
  return await buildGoOver(join(import.meta.dirname, 'programs/otlp-decode.go'), module)
}

/** @param body of a request. @returns what the collector has of it, as JSON of OTLP. @throws what it says against it */
export function decodeOtlp(program: string, body: string): unknown {
  const { status, stdout, stderr } = spawnSync(program, { input: body, encoding: 'utf8' })
  if (status !== 0) throw new Error(stderr)
  return JSON.parse(stdout)
}
