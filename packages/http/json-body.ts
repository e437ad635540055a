import { isUtf8 } from 'node:buffer'
import { Compile } from 'typebox/compile'
import { problem } from './problem.ts'
import type { Static, TObject, TSchema } from 'typebox'
import type { TLocalizedValidationError } from 'typebox/error'
import type { Problem } from './problem.ts'

/** Bytes to a checked value, or the problem that names the field at fault. Built once per route. */
export type BodyParser<Body> = (bytes: Uint8Array, contentType: string) => { body: Body } | { problem: Problem }

/** An empty body stands for `{}`, so that actions can be called without one. */
export function bodyParser<Schema extends TObject>(schema: Schema): BodyParser<Static<Schema>> {
  const validator = Compile(schema)
  return (bytes, contentType) => {
    const parsed = parseJson(bytes, contentType)
    if ('problem' in parsed) return parsed
    const { value } = parsed
    if (validator.Check(value)) return { body: value }
    return { problem: describeErrors(schema, [...validator.Errors(value)]) }
  }
}

function parseJson(bytes: Uint8Array, contentType: string): { value: unknown } | { problem: Problem } {
  if (bytes.byteLength === 0) return { value: {} }
  if (!isJsonType(contentType)) {
    const sent = contentType === '' ? 'no Content-Type' : contentType
    return { problem: problem('unsupported_media_type', `The body came as ${sent}, expected application/json.`) }
  }
  if (!isUtf8(bytes)) return { problem: problem('invalid_json', 'The body is not valid UTF-8.') }
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
  try {
    const value: unknown = JSON.parse(text)
    if (text.includes('\\u')) {
      const param = findBrokenText(value, '')
      if (param !== null) {
        const detail = `${param === '' ? 'A text' : param} contains a NUL or half of a surrogate pair.`
        return { problem: problem('invalid_request', detail, param || null) }
      }
    }
    return { value }
  } catch (error) {
    return { problem: problem('invalid_json', `The body is not valid JSON: ${(error as SyntaxError).message}.`) }
  }
}

function isJsonType(contentType: string): boolean {
  if (contentType === 'application/json') return true
  const [type = ''] = contentType.split(';', 1)
  return type.trim().toLowerCase() === 'application/json'
}

/**
 * The first text, key or value, that cannot be stored and given back unchanged; null when there is none. Only escapes
 * (`\u`) can produce one, so most bodies are never walked.
 */
function findBrokenText(value: unknown, path: string): string | null {
  if (typeof value === 'string') return value.isWellFormed() && !value.includes('\0') ? null : path
  if (typeof value !== 'object' || value === null) return null
  for (const [key, item] of Object.entries(value)) {
    if (!key.isWellFormed() || key.includes('\0')) return path
    const broken = findBrokenText(item, joinPath(path, Array.isArray(value) ? `[${key}]` : key))
    if (broken !== null) return broken
  }
  return null
}

/** The most telling error as one sentence: an unknown or missing field by name, else the field's own description. */
function describeErrors(schema: TSchema, errors: readonly TLocalizedValidationError[]): Problem {
  const error = errors.find(isTelling) ?? errors[0]
  const [first] = error === undefined ? [] : describeError(schema, error)
  return first ?? problem('invalid_request', 'The body does not have the expected form.')
}

/** Every field of `value` that is wrong, each once; empty when it fits. For tools: a request is told the first. */
export function listProblems(schema: TObject): (value: unknown) => readonly Problem[] {
  const validator = Compile(schema)
  return (value) => {
    if (validator.Check(value)) return []
    const errors = [...validator.Errors(value)]
    const telling = errors.filter(isTelling)
    const found = (telling.length > 0 ? telling : errors).flatMap((error) => describeError(schema, error))
    return [...new Map(found.toReversed().map((one) => [one.param, one])).values()].toReversed()
  }
}

/** Not the echo of another error. */
function isTelling({ keyword }: TLocalizedValidationError): boolean {
  return keyword !== 'boolean' && keyword !== 'anyOf'
}

/** One problem, or one a field where several are missing or unknown. */
function describeError(schema: TSchema, error: TLocalizedValidationError): readonly Problem[] {
  const at = toPath(error.instancePath)
  if (error.keyword === 'required') {
    const missing = error.params.requiredProperties.map((name) => joinPath(at, name))
    return missing.map((param) => problem('invalid_request', `${param} is required.`, param))
  }
  if (error.keyword === 'additionalProperties') {
    const unknown = error.params.additionalProperties.map((name) => joinPath(at, name))
    return unknown.map((param) => problem('invalid_request', `${param} is not a known field.`, param))
  }
  const expected = descriptionAt(schema, error.schemaPath)
  const name = at === '' ? 'The body' : at
  const detail = expected === null ? `${name} ${error.message}.` : `${name} must be ${expected}.`
  return [problem('invalid_request', detail, at || null)]
}

/** `/lines/0/sku` as clients write it: `lines[0].sku`. */
function toPath(pointer: string): string {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce((path, part) => joinPath(path, /^\d+$/.test(part) ? `[${part}]` : part), '')
}

function joinPath(path: string, part: string): string {
  return path === '' || part.startsWith('[') ? path + part : `${path}.${part}`
}

/** The nearest `description` on the way to the failing keyword. */
function descriptionAt(schema: TSchema, schemaPath: string): string | null {
  let node: unknown = schema
  let description: string | null = null
  for (const part of schemaPath.split('/').slice(1)) {
    if (typeof node !== 'object' || node === null) break
    node = (node as Record<string, unknown>)[part]
    const own = typeof node === 'object' && node !== null && 'description' in node ? node.description : null
    if (typeof own === 'string') description = own
  }
  return description
}
