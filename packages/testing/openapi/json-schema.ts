import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import type { OpenApiDocument } from '@penstock/http/openapi/document.ts'
import type { SchemaNode } from '@penstock/http/openapi/schema-node.ts'

/** What is wrong with a value, one line each; empty when nothing is. */
export type Check = (value: unknown) => readonly string[]

/**
 * `schema` of `document` as ajv understands it: not the library the server checks with, so that a mistake of either
 * shows. `isClosed`: fields the schema does not name are wrong, which the document leaves open for later versions.
 */
export function compileSchema(document: OpenApiDocument, schema: SchemaNode, { isClosed = false } = {}): Check {
  const ajv = new Ajv2020({ strict: true, strictTypes: false, strictRequired: false, allErrors: true })
  addFormats.default(ajv)
  const components = { components: { schemas: document.components.schemas } }
  ajv.addVocabulary(['components'])
  const root = JSON.parse(JSON.stringify({ ...schema, ...components })) as object
  const validate = ajv.compile(isClosed ? closed(root) : root)
  return (value) => {
    if (validate(value)) return []
    return (validate.errors ?? []).map(({ instancePath, message, params }) => {
      return `${instancePath === '' ? 'the value' : instancePath} ${message} ${JSON.stringify(params)}`
    })
  }
}

/** Every object that names its fields takes no others. */
function closed<Node>(node: Node): Node {
  if (typeof node !== 'object' || node === null) return node
  if (Array.isArray(node)) return node.map(closed) as Node
  const copy = Object.fromEntries(Object.entries(node).map(([key, value]) => [key, closed<unknown>(value)]))
  const namesFields = copy['type'] === 'object' && Object.keys(Object(copy['properties'])).length > 0
  return (namesFields ? { additionalProperties: false, ...copy } : copy) as Node
}
