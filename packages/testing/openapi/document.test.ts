import { readFileSync } from 'node:fs'
import { Validator } from '@seriousme/openapi-schema-validator'
import { describe, expect, it } from 'vitest'
import { scopes } from '@penstock/domain/api-key.ts'
import { problemKinds } from '@penstock/http/problem.ts'
import { referencePage, referencePagePolicy } from '@penstock/http/openapi/reference-page.ts'
import { routes } from '@penstock/http/routes/index.ts'
import { currentDocument, goldenText, goldenUrl } from './golden.ts'
import { SchemaCompiler } from './json-schema.ts'
import type { SchemaNode } from '@penstock/http/openapi/schema-node.ts'

const document = currentDocument()
const operations = Object.entries(document.paths).flatMap(([path, item]) =>
  Object.entries(item).map(([method, operation]) => ({ name: `${method} ${path}`, operation })),
)

describe('the OpenAPI document', () => {
  it('is the one in docs/openapi.json', () => {
    const golden = readFileSync(goldenUrl, 'utf8')
    const current = goldenText(document)
    if (golden === current) return
    const [before, after] = [golden.split('\n'), current.split('\n')]
    const at = after.findIndex((line, index) => line !== before[index])
    expect.fail(
      `The API differs from docs/openapi.json, first in line ${at + 1}:\n` +
        `  there: ${before[at]?.trim() ?? '(end)'}\n  now:   ${after[at]?.trim() ?? '(end)'}\n` +
        `If that is meant, run "npm run openapi" and commit the file.`,
    )
  })

  it('is valid by the meta-schema of OpenAPI 3.1', async () => {
    const validate = (value: object): Promise<object> =>
      new Validator().validate(JSON.parse(JSON.stringify(value)) as Record<string, unknown>)
    expect(await validate(document)).toMatchObject({ valid: true })
    // The validator can also say no.
    const wrongPlace = { ...document, paths: { '/v1/x': { get: { parameters: [{ name: 'a', in: 'body' }] } } } }
    expect(await validate(wrongPlace)).toMatchObject({ valid: false })
  })

  it('has an operation for every route, each with a name of its own', () => {
    expect(operations).toHaveLength(routes.length)
    expect(new Set(operations.map(({ operation }) => operation.operationId)).size).toBe(routes.length)
  })

  it('names the scope that a secret key needs, wherever a key is needed', () => {
    for (const { name, operation } of operations) {
      const [needed] = operation.security
      // A webhook is signed instead.
      if (operation.tags[0] === 'Operations' || operation.tags[0] === 'Webhooks')
        expect([name, needed]).toEqual([name, undefined])
      else expect(scopes).toContain(needed?.['secretKey']?.[0])
    }
    const scopeAt = (path: string, method: 'get' | 'post') => document.paths[path]?.[method]?.security[0]?.['secretKey']
    expect(scopeAt('/v1/ledger/entries', 'get')).toEqual(['ledger:read'])
    expect(scopeAt('/v1/exports/ledger_entries', 'get')).toEqual(['ledger:read'])
    expect(scopeAt('/v1/holds/{id}/erase', 'post')).toEqual(['holds:write'])
  })

  it('has only schemas that an independent validator takes, and examples that fit them', () => {
    const compiler = new SchemaCompiler(document)
    for (const [title, schema] of Object.entries(document.components.schemas)) {
      const check = compiler.compile({ $ref: `#/components/schemas/${title}` })
      expect([title, schema.examples?.length]).toEqual([title, 1])
      for (const example of schema.examples ?? []) expect([title, check(example)]).toEqual([title, []])
    }
  })

  it('refers to nothing that is not there, and keeps nothing that nobody refers to', () => {
    const text = JSON.stringify(document)
    const referred = new Set([...text.matchAll(/"\$ref":"#\/components\/(\w+\/[\w.]+)"/g)].map((match) => match[1]))
    const kept = Object.entries(document.components)
      .filter(([kind]) => kind !== 'securitySchemes')
      .flatMap(([kind, parts]) => Object.keys(parts).map((name) => `${kind}/${name}`))
    expect(referred).toEqual(new Set(kept))
  })

  it('knows every problem, but those of requests that match no route', () => {
    const listed = new Set(Object.keys(document.components.responses).flatMap((name) => name.split('.')))
    const missing = Object.keys(problemKinds).filter((code) => !listed.has(code))
    expect(missing).toEqual(['route_not_found', 'method_not_allowed'])
  })

  it('demands in a request what it shows: bounds for every number, text and list', () => {
    const unbounded: string[] = []
    const visit = (node: SchemaNode, at: string): void => {
      const { type, enum: values, pattern } = node
      if (type === 'string' && values === undefined && node.maxLength === undefined && pattern?.endsWith('$') !== true)
        unbounded.push(at)
      if (type === 'integer' && (node.minimum === undefined || node.maximum === undefined)) unbounded.push(at)
      if (type === 'array' && node.maxItems === undefined) unbounded.push(at)
      for (const [name, field] of Object.entries(node.properties ?? {})) visit(field, `${at}.${name}`)
      for (const option of node.anyOf ?? []) visit(option, at)
      if (node.items !== undefined) visit(node.items, `${at}[]`)
    }
    for (const [title, schema] of Object.entries(document.components.schemas)) {
      if (schema.additionalProperties === false) visit(schema, title)
    }
    expect(unbounded).toEqual([])
  })
})

describe('referencePage', () => {
  const page = referencePage(document)

  it('shows every route with its fields, errors and an example', () => {
    for (const { operation } of operations) {
      const { operationId, summary } = operation
      const start = page.indexOf(`<article id="${operationId}">`)
      const article = page.slice(start, page.indexOf('</article>', start))
      expect([operationId, start]).not.toEqual([operationId, -1])
      expect(article).toContain(`<p>${summary}.`)
      expect(article).toContain('curl -sS')
      expect(article).toContain('<code>internal_error</code>')
    }
    const holdCreate = page.slice(page.indexOf('<article id="createHold">'))
    expect(holdCreate).toContain('<code>lines[].quantity</code>')
    expect(holdCreate).toContain('<code>1 to 1000</code>')
    expect(holdCreate).toContain('<code>sold_out</code>')
  })

  it('needs no script and no other host', () => {
    expect(page).not.toMatch(/<script|<img|<link|<iframe|javascript:|\son\w+=| style=|url\(|@import/i)
    expect([...page.matchAll(/\s(?:href|src)="([^"]*)"/g)].filter(([, url]) => !/^[#/]/.test(url ?? ''))).toEqual([])
    expect(referencePagePolicy).toMatch(/^default-src 'none'; style-src 'sha256-[A-Za-z0-9+/=]+'; base-uri 'none'/)
  })

  it('has a target for every link, and no id twice', () => {
    const ids = [...page.matchAll(/\sid="([^"]*)"/g)].map((match) => match[1])
    expect(new Set(ids).size).toBe(ids.length)
    for (const [, target] of page.matchAll(/href="#([^"]*)"/g)) expect(ids).toContain(target)
  })

  it('takes no markup from texts of the document', () => {
    const info = { ...document.info, title: '<b>"&\'', description: '<script>alert(1)</script>' }
    const hostile = referencePage({ ...document, info })
    expect(hostile).toContain('&lt;script&gt;alert(1)&lt;/script&gt;')
    expect(hostile).not.toMatch(/<script|<b>/)
  })
})
