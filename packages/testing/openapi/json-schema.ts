import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import type { OpenApiDocument } from '@penstock/http/openapi/document.ts'
import type { SchemaNode } from '@penstock/http/openapi/schema-node.ts'

/** What is wrong with a value, one line each; empty when nothing is. */
export type Check = (value: unknown) => readonly string[]

/**
 * Schemas of one document as ajv understands them: not the library the server checks with, so that a mistake of either
 * shows.
 */
export class SchemaCompiler {
  readonly #ajv = new Ajv2020({ strict: true, strictTypes: false, strictRequired: false, allErrors: true })
  readonly #isClosed: boolean

  /** `isClosed`: fields a schema does not name are wrong, which the document leaves open for later versions. */
  constructor({ components }: OpenApiDocument, { isClosed = false } = {}) {
    this.#isClosed = isClosed
    addFormats.default(this.#ajv)
    this.#ajv.addVocabulary(['components'])
    this.#ajv.addSchema(this.#prepare({ components: { schemas: components.schemas } }), 'document')
  }

  compile(schema: SchemaNode): Check {
    const validate = this.#ajv.compile(this.#prepare(schema))
    return (value) => {
      if (validate(value)) return []
      return (validate.errors ?? []).map(({ instancePath, message, params }) => {
        return `${instancePath === '' ? 'the value' : instancePath} ${message} ${JSON.stringify(params)}`
      })
    }
  }

  #prepare(schema: object): object {
    const text = JSON.stringify(schema).replaceAll('"$ref":"#/', '"$ref":"document#/')
    const copy = JSON.parse(text) as object
    return this.#isClosed ? closed(copy) : copy
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
