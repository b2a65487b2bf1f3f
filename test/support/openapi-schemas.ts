/**
 * Makes of Kubernetes' OpenAPI definition (swagger.json of a release) the JSON Schemas that kubeconform reads: one file for
 * each kind, with the definitions that it refers to and no others, so that reading one is quick. Objects are closed, so that a field which the release does not have is
 * a mistake, as it is for `kubectl apply --validate=strict`.
 */

interface OpenApi {
  readonly definitions: Readonly<Record<string, Definition>>
}

interface Definition {
  readonly type?: string
  readonly format?: string
  readonly properties?: Readonly<Record<string, Definition>>
  readonly additionalProperties?: Definition | boolean
  readonly items?: Definition
  readonly required?: readonly string[]
  readonly $ref?: string
  readonly 'x-kubernetes-group-version-kind'?: readonly {
    readonly group: string
    readonly version: string
    readonly kind: string
  }[]
}

type JsonSchema = Readonly<Record<string, unknown>>

/** Name and content of each file. */
export function kubeconformSchemas({ definitions }: OpenApi): ReadonlyMap<string, JsonSchema> {
  const files = new Map<string, JsonSchema>()
  for (const [name, definition] of Object.entries(definitions)) {
    const kinds = definition['x-kubernetes-group-version-kind'] ?? []
    // Options of requests belong to every group; nobody applies them, nor lists.
    if (kinds.length !== 1 || name.endsWith('List')) continue
    for (const { group, version, kind } of kinds) {
      // kubeconform's `{{ .ResourceKind }}{{ .KindSuffix }}`: the first part of the group, then the version.
      const suffix = [group.split('.')[0] ?? '', version].filter((part) => part !== '').join('-')
      files.set(`${kind.toLowerCase()}-${suffix}.json`, withItsDefinitions(name, definitions))
    }
  }
  return files
}

function withItsDefinitions(name: string, all: OpenApi['definitions']): JsonSchema {
  const reached = new Map<string, JsonSchema>()
  const waiting = [name]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const definition = all[next]
    if (reached.has(next) || definition === undefined) continue
    reached.set(next, closedSchema(next, definition))
    waiting.push(...refsIn(definition))
  }
  return { $ref: `#/definitions/${name}`, definitions: Object.fromEntries(reached) }
}

function refsIn({ $ref, properties, items, additionalProperties }: Definition): string[] {
  const inner = [
    ...Object.values(properties ?? {}),
    ...(items === undefined ? [] : [items]),
    ...(typeof additionalProperties === 'object' ? [additionalProperties] : []),
  ]
  const own = $ref === undefined ? [] : [$ref.slice('#/definitions/'.length)]
  return [...own, ...inner.flatMap(refsIn)]
}

function closedSchema(name: string, definition: Definition): JsonSchema {
  // Texts with a meaning of their own, which may be written as numbers as well.
  if (name.endsWith('.Quantity')) return { type: ['string', 'number'] }
  return schemaOf(definition)
}

function schemaOf(definition: Definition): JsonSchema {
  const { type, format, properties, additionalProperties, items, required, $ref } = definition
  if ($ref !== undefined) return { $ref }
  if (format === 'int-or-string') return { type: ['string', 'integer'] }
  const isClosed = properties !== undefined && additionalProperties === undefined
  return {
    ...(type === undefined ? {} : { type: required === undefined ? [type, 'null'] : type }),
    ...(properties === undefined ? {} : { properties: mapped(properties) }),
    ...(isClosed ? { additionalProperties: false } : {}),
    ...(typeof additionalProperties === 'object'
      ? { additionalProperties: schemaOf(additionalProperties) }
      : {}),
    ...(items === undefined ? {} : { items: schemaOf(items) }),
    ...(required === undefined ? {} : { required }),
  }
}

function mapped(properties: Readonly<Record<string, Definition>>): Record<string, JsonSchema> {
  return Object.fromEntries(Object.entries(properties).map(([key, one]) => [key, schemaOf(one)]))
}
