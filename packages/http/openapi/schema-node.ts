/** The part of JSON Schema 2020-12 that the documents use. */
export interface SchemaNode {
  readonly $ref?: string
  readonly title?: string
  readonly type?: string
  readonly description?: string
  readonly examples?: readonly unknown[]
  readonly default?: unknown
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly pattern?: string
  readonly minLength?: number
  readonly maxLength?: number
  readonly minimum?: number
  readonly maximum?: number
  readonly minItems?: number
  readonly maxItems?: number
  readonly uniqueItems?: boolean
  readonly maxProperties?: number
  readonly items?: SchemaNode
  readonly properties?: Readonly<Record<string, SchemaNode>>
  readonly patternProperties?: Readonly<Record<string, SchemaNode>>
  readonly required?: readonly string[]
  readonly additionalProperties?: boolean
  readonly anyOf?: readonly SchemaNode[]
  readonly allOf?: readonly SchemaNode[]
  readonly not?: SchemaNode
}

/**
 * A value as the schema has it, made of the `examples` on the way. Objects that take no unknown fields are requests:
 * of their optional fields none is shown, unless all are optional; then the first is.
 */
export function exampleOf(schema: SchemaNode): unknown {
  if (schema.examples !== undefined) return schema.examples[0]
  if (schema.const !== undefined) return schema.const
  if (schema.enum !== undefined) return schema.enum[0]
  if (schema.anyOf?.[0] !== undefined) return exampleOf(schema.anyOf[0])
  if (schema.type === 'array') return schema.items === undefined ? [] : [exampleOf(schema.items)]
  if (schema.type !== 'object') throw new Error(`a schema has no example: ${JSON.stringify(schema)}`)
  const { properties = {}, required = [], additionalProperties } = schema
  const names = Object.keys(properties)
  const isRequest = additionalProperties === false
  const minimal = required.length > 0 ? names.filter((name) => required.includes(name)) : names.slice(0, 1)
  const shown = isRequest ? minimal : names
  return Object.fromEntries(shown.map((name) => [name, exampleOf(properties[name] ?? {})]))
}

/** Keywords whose values are data, not schemas. */
const dataKeywords: ReadonlySet<string> = new Set(['examples', 'default', 'const', 'enum', 'required'])

/** Collects schemas that have a `title` under it, and puts a `$ref` in their place. */
export class SchemaCollector {
  readonly #schemas = new Map<string, SchemaNode>()

  /** The schema as plain JSON, with its parts by reference. Throws when two different ones have the same title. */
  refer(schema: object): SchemaNode {
    return this.#visit(JSON.parse(JSON.stringify(schema)) as SchemaNode)
  }

  /** By title, in alphabetical order. */
  get schemas(): Readonly<Record<string, SchemaNode>> {
    return Object.fromEntries([...this.#schemas].toSorted(([a], [b]) => (a < b ? -1 : 1)))
  }

  #visit(schema: SchemaNode): SchemaNode {
    const { title } = schema
    const parts = this.#visitParts(schema) as SchemaNode
    if (title === undefined) return parts
    const named = { examples: [exampleOf(schema)], ...parts }
    const known = this.#schemas.get(title)
    if (known !== undefined && JSON.stringify(known) !== JSON.stringify(named)) {
      throw new Error(`two different schemas have the title ${title}`)
    }
    this.#schemas.set(title, named)
    return { $ref: `#/components/schemas/${title}` }
  }

  #visitParts(node: object): object {
    const parts = Object.entries(node).map(([keyword, value]) => [keyword, this.#visitPart(keyword, value)])
    return Object.fromEntries(parts) as object
  }

  #visitPart(keyword: string, value: unknown): unknown {
    if (dataKeywords.has(keyword) || typeof value !== 'object' || value === null) return value
    if (Array.isArray(value)) return value.map((item: SchemaNode) => this.#visit(item))
    if (keyword !== 'properties' && keyword !== 'patternProperties') return this.#visit(value)
    const fields = Object.entries(value as Record<string, SchemaNode>)
    return Object.fromEntries(fields.map(([name, field]) => [name, this.#visit(field)]))
  }
}
