/** The version of this program. */
import manifest from '../../package.json' with { type: 'json' }

export function version(): string {
  return manifest.version
}

/** @returns the versions of Node that it runs on, as `>=26.4` */
export function neededNode(): string {
  return manifest.engines.node
}
