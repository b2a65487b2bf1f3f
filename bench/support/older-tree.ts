/** Another commit of this repository, checked out beside it for as long as a bench runs. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { repository } from './servers.ts'

export interface OlderTree {
  readonly commit: string
  /** Absolute. It has this tree's packages. */
  readonly path: string
}

/**
 * It goes away with the process.
 * @throws an Error with git's words when the commit is not known
 */
export function olderTree(revision: string): OlderTree {
  const commit = git('rev-parse', '--short=10', '--verify', `${revision}^{commit}`)
  const directory = mkdtempSync(join(tmpdir(), 'neardns-older-'))
  const path = join(directory, 'base')
  process.once('exit', () => {
    if (existsSync(path)) git('worktree', 'remove', '--force', path)
    rmSync(directory, { recursive: true, force: true })
  })
  git('worktree', 'add', '--quiet', '--detach', path, commit)
  symlinkSync(join(repository, 'node_modules'), join(path, 'node_modules'))
  return { commit, path }
}

function git(...args: string[]): string {
  return execFileSync('git', args, { cwd: repository, encoding: 'utf8' }).trim()
}
