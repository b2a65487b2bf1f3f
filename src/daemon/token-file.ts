/** Reads the token of the admin pages, at each request, because the kubelet replaces the files of a Secret. */
import { readFileSync } from 'node:fs'
import { errorCode } from '../system/bind.ts'

export type TokenFile =
  | { readonly ok: true; readonly token: string }
  | { readonly ok: false; readonly why: string }

/**
 * 16 characters of hexadecimal are 64 random bits: at a thousand guesses a second, more than the admin pages answer, some 300 million years on
 * average. 512 fit into the headers that the admin server takes (8 KiB) many times. RFC 6750 2.1 names the characters.
 */
const [charactersMin, charactersMax] = [16, 512]
const shape = /^[A-Za-z0-9._~+/-]+=*$/
const expected = `expected ${charactersMin} to ${charactersMax} letters, digits or -._~+/ in the first line, as \`openssl rand -hex 32\` writes`

/** @returns why no token opens the pages, never with a part of the file */
export function readTokenFile(path: string): TokenFile {
  let line: string
  try {
    line = readFileSync(path, 'utf8').split('\n', 1)[0]?.trim() ?? ''
  } catch (error) {
    return { ok: false, why: `cannot be read (${errorCode(error) ?? 'error'})` }
  }
  if (line === '') return { ok: false, why: `its first line is empty; ${expected}` }
  if (line.length < charactersMin || line.length > charactersMax)
    return { ok: false, why: `its token has ${line.length} characters; ${expected}` }
  if (!shape.test(line))
    return { ok: false, why: `its token has characters that no header carries; ${expected}` }
  return { ok: true, token: line }
}

/** @returns undefined when there is no file, or none with a token that counts: then no token opens the pages */
export function readToken(path: string | null): string | undefined {
  const read = path === null ? undefined : readTokenFile(path)
  return read?.ok === true ? read.token : undefined
}
