import type { SchemaNode } from './schema-node.ts'

/** One field of an object, for people. */
export interface FieldRow {
  /** With the objects and lists around it: `lines[].sku`. */
  readonly name: string
  readonly isRequired: boolean
  /** Type and bounds: `string`, `1 to 200 characters`, … */
  readonly facts: readonly string[]
  readonly description: string
  /** The title of the schema it refers to. */
  readonly refersTo: string | null
}

/** The fields of an object; those of objects inside it too, unless they have a title of their own. */
export function fieldRows(schema: SchemaNode, prefix = ''): FieldRow[] {
  const { properties = {}, required = [] } = schema
  return Object.entries(properties).flatMap(([name, field]) => {
    const row = fieldRow(prefix + name, field, required.includes(name))
    const inner = innerObject(field)
    return inner === null ? [row] : [row, ...fieldRows(inner.schema, `${prefix}${name}${inner.suffix}.`)]
  })
}

export function fieldRow(name: string, field: SchemaNode, isRequired: boolean): FieldRow {
  const facts = schemaFacts(field)
  const description = field.description ?? ''
  return { name, isRequired, facts, description, refersTo: referenceOf(field) }
}

function innerObject(field: SchemaNode): { readonly schema: SchemaNode; readonly suffix: string } | null {
  const own = withoutNull(field)
  if (own.properties !== undefined) return { schema: own, suffix: '' }
  if (own.items?.properties !== undefined) return { schema: own.items, suffix: '[]' }
  return null
}

function withoutNull(schema: SchemaNode): SchemaNode {
  return schema.anyOf?.find((option) => option.type !== 'null') ?? schema
}

function referenceOf(schema: SchemaNode): string | null {
  const own = withoutNull(schema)
  const reference = own.$ref ?? (own.items === undefined ? undefined : withoutNull(own.items).$ref)
  return reference?.replace('#/components/schemas/', '') ?? null
}

/** Everything the schema demands, but what it refers to. */
export function schemaFacts(schema: SchemaNode): string[] {
  const isNullable = schema.anyOf?.some((option) => option.type === 'null') === true
  const own = withoutNull(schema)
  const facts: string[] = []
  if (own.const !== undefined) facts.push(JSON.stringify(own.const))
  else if (own.enum !== undefined) facts.push(own.enum.map((value) => JSON.stringify(value)).join(' | '))
  else if (own.type !== undefined) facts.push(own.type)
  facts.push(...range(own.minimum, own.maximum, ''), ...range(own.minLength, own.maxLength, ' characters'))
  facts.push(...range(own.minItems, own.maxItems, ' items'), ...range(undefined, own.maxProperties, ' fields'))
  if (own.uniqueItems === true) facts.push('all different')
  if (own.pattern !== undefined) facts.push(`matches ${own.pattern}`)
  if (own.not !== undefined) facts.push(`not ${own.not.const === undefined ? 'that' : JSON.stringify(own.not.const)}`)
  for (const [pattern, value] of Object.entries(own.patternProperties ?? {})) {
    facts.push(`names match ${pattern}`, `values: ${schemaFacts(value).join(', ')}`)
  }
  if (own.default !== undefined) facts.push(`default ${JSON.stringify(own.default)}`)
  if (isNullable) facts.push('or null')
  return facts
}

function range(minimum: number | undefined, maximum: number | undefined, unit: string): string[] {
  if (minimum !== undefined && maximum !== undefined) return [`${minimum} to ${maximum}${unit}`]
  if (minimum !== undefined) return [`at least ${minimum}${unit}`]
  return maximum === undefined ? [] : [`at most ${maximum}${unit}`]
}
