/**
 * The bill of materials of one image, as CycloneDX 1.5 on standard output: the npm packages that are bundled or shipped, the Node
 * binary under the name that advisories use, and the Debian packages. A scanner of the image alone sees only the last: the
 * bundle has no package.json of what is in it. Reads files that scripts/image.sh and npm wrote; runs nothing.
 *
 *   npm sbom --omit dev --package-lock-only --sbom-format cyclonedx >npm.json
 *   node scripts/sbom.ts amd64 npm.json neardns-VERSION-amd64.packages.tsv COMMIT_TIME >neardns-VERSION-amd64.cdx.json
 */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'

export interface Component {
  readonly 'bom-ref': string
  readonly type: string
  readonly name: string
  readonly version: string
  readonly purl: string
  readonly scope?: string
  readonly [field: string]: unknown
}

export interface Bom {
  readonly metadata: { readonly component: Component; readonly [field: string]: unknown }
  readonly components: readonly Component[]
  readonly [field: string]: unknown
}

export interface ImageContents {
  readonly arch: Arch
  /** What `npm sbom` printed. */
  readonly npm: Bom
  /** Lines of source package, its version, package, its version, architecture, with tabs between. */
  readonly debian: string
  /** ISO 8601. */
  readonly time: string
}

/** Debian's names to Node's. */
const cpuOf = { amd64: 'x64', arm64: 'arm64' } as const
export type Arch = keyof typeof cpuOf

export function imageBom({ arch, npm, debian, time }: ImageContents): Bom {
  const shipped = npm.components.filter((component) => isShipped(component, arch))
  const components = [...shipped, nodeOf(shipped), ...debianComponents(debian)]
  const { version } = npm.metadata.component
  const text = JSON.stringify([arch, version, components])
  return {
    bomFormat: 'CycloneDX',
    specVersion: '1.5',
    // Of the contents, so that the same image has the same file.
    serialNumber: `urn:uuid:${uuidOf(text)}`,
    version: 1,
    metadata: {
      timestamp: time,
      tools: [{ name: 'scripts/sbom.ts', version }],
      component: {
        'bom-ref': 'image',
        type: 'container',
        name: 'neardns',
        version,
        purl: `pkg:generic/neardns@${version}?arch=${arch}`,
        licenses: [{ license: { id: 'Apache-2.0' } }],
      },
    },
    components,
  }
}

/** Packages for other platforms are in the lock file, and stay out of the image. */
function isShipped({ name, scope }: Component, arch: Arch): boolean {
  const cpu = cpuOf[arch]
  return scope !== 'optional' || name === nodePackage(cpu) || name === `@koromix/koffi-linux-${cpu}`
}

const nodePackage = (cpu: string) => `node-linux-${cpu}`

/** Advisories know neither of the npm packages that carry Node's binary. */
function nodeOf(shipped: readonly Component[]): Component {
  const carrier = shipped.find(({ name }) => Object.values(cpuOf).map(nodePackage).includes(name))
  if (carrier === undefined) throw new Error('the Node binary is not among the packages')
  const { version } = carrier
  return {
    'bom-ref': `node@${version}`,
    type: 'platform',
    name: 'node',
    version,
    purl: `pkg:generic/node@${version}`,
    cpe: `cpe:2.3:a:nodejs:node.js:${version}:*:*:*:*:*:*:*`,
  }
}

function debianComponents(lines: string): Component[] {
  return lines
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [source, sourceVersion, name, version, architecture] = line.split('\t')
      if (!(source && sourceVersion && name && version && architecture)) {
        throw new Error(`not a line of a package: ${line}`)
      }
      // Advisories of Debian are about source packages.
      const upstream =
        source === name ? '' : `&upstream=${encodeURIComponent(`${source}@${sourceVersion}`)}`
      return {
        'bom-ref': `deb:${name}:${architecture}`,
        type: 'library',
        name,
        version,
        purl: `pkg:deb/debian/${encodeURIComponent(name)}@${encodeURIComponent(version)}?arch=${architecture}&distro=trixie${upstream}`,
      }
    })
}

/** RFC 9562, version 8: of a hash. */
function uuidOf(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

function main([arch, npmFile, debianFile, time]: readonly string[]): void {
  if ((arch !== 'amd64' && arch !== 'arm64') || !npmFile || !debianFile || !time) {
    throw new Error('sbom.ts amd64|arm64 NPM_JSON PACKAGES_TSV TIME')
  }
  const npm = JSON.parse(readFileSync(npmFile, 'utf8')) as Bom
  const bom = imageBom({ arch, npm, debian: readFileSync(debianFile, 'utf8'), time })
  process.stdout.write(`${JSON.stringify(bom, undefined, 2)}\n`)
}

if (import.meta.main) main(process.argv.slice(2))
