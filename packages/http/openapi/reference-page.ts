import { hash } from 'node:crypto'
import { problemKinds } from '../problem.ts'
import { fieldRow, fieldRows, schemaFacts } from './field-rows.ts'
import type { ProblemCode } from '../problem.ts'
import type { Method, OpenApiDocument, Operation, Parameter, Ref, Response } from './document.ts'
import type { FieldRow } from './field-rows.ts'
import type { SchemaNode } from './schema-node.ts'

const style = `:root{color-scheme:light dark}
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:0 auto;padding:1rem}
h2{margin-top:3rem;border-bottom:1px solid}
h3{margin-top:2.5rem}
code,pre{font-family:ui-monospace,monospace;font-size:.9em}
pre{overflow-x:auto;padding:.75rem;border:1px solid #8888;border-radius:.4rem}
.table{overflow-x:auto}
table{border-collapse:collapse;width:100%}
th,td{text-align:left;vertical-align:top;padding:.3rem .6rem .3rem 0;border-bottom:1px solid #8884}
td{overflow-wrap:anywhere}
td:first-child,th:first-child{min-width:9rem}
nav ul{padding-left:1.2rem}
.method{text-transform:uppercase;font-weight:700}`

/** What the page may load: its own style, and nothing else. No script, no image, no host. */
export const referencePagePolicy =
  `default-src 'none'; style-src 'sha256-${hash('sha256', style, 'base64')}'; ` +
  `base-uri 'none'; form-action 'none'; frame-ancestors 'none'`

/** The reference as one page of HTML, made of the document alone; readable without JavaScript. */
export function referencePage(document: OpenApiDocument): string {
  const operations = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ method: method as Method, path, operation })),
  )
  const sections = document.tags.map(({ name }) => {
    const own = operations.filter(({ operation }) => operation.tags.includes(name))
    return { name, own }
  })
  const toc = sections.map(({ name, own }) => {
    const items = own.map(({ method, path, operation }) => {
      const label = `<code><span class="method">${method}</span> ${escape(path)}</code>`
      return `<li><a href="#${operation.operationId}">${label}</a> ${escape(operation.summary)}</li>`
    })
    return `<li>${escape(name)}<ul>${items.join('\n')}</ul></li>`
  })
  const bodies = sections.map(({ name, own }) => {
    const shown = own.map(({ method, path, operation }) => operationSection(document, method, path, operation))
    return `<section><h2>${escape(name)}</h2>\n${shown.join('\n')}</section>`
  })
  const objects = Object.entries(document.components.schemas).map(([title, schema]) => objectSection(title, schema))
  const paragraphs = document.info.description.split('\n\n').map((text) => `<p>${escape(text)}</p>`)
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>${escape(document.info.title)} API</title><style>${style}</style></head><body>
<header><h1>${escape(document.info.title)} API, version ${escape(document.info.version)}</h1>
${paragraphs.join('\n')}
<p>The examples want a key: <code>KEY=sk_test_...</code>, as the start of the box prints it. Where a box listens elsewhere, they
want its address instead of 127.0.0.1:8080.</p>
<p>For programs: <a href="/openapi.json">/openapi.json</a> (OpenAPI ${document.openapi}).</p></header>
<nav aria-label="Contents"><ul>${toc.join('\n')}<li><a href="#objects">Objects</a></li></ul></nav>
<main>${bodies.join('\n')}
<section id="objects"><h2>Objects</h2>
${objects.join('\n')}</section></main>
</body></html>
`
}

function operationSection(document: OpenApiDocument, method: Method, path: string, operation: Operation): string {
  const parameters = (operation.parameters ?? []).map((given) => resolve<Parameter>(document, given))
  const body = Object.values(operation.requestBody?.content ?? {})[0]?.schema
  const bodySchema = body === undefined ? undefined : resolve<SchemaNode>(document, body)
  const bodyRows = bodySchema === undefined ? [] : fieldRows(bodySchema)
  const answers = Object.entries(operation.responses).map(([status, given]) => ({
    status,
    response: resolve<Response>(document, given),
  }))
  return `<article id="${operation.operationId}">
<h3><code><span class="method">${method}</span> ${escape(path)}</code></h3>
<p>${escape(operation.summary)}. ${keySentence(operation)}</p>
${parameters.length === 0 ? '' : `<h4>Parameters</h4>\n${parameterTable(parameters)}`}
${bodyRows.length === 0 ? '' : `<h4>Body</h4>\n${fieldTable(bodyRows)}`}
<h4>Example</h4>
<pre>${escape(curl(method, path, operation, parameters, bodySchema))}</pre>
<h4>Answers</h4>
${answerTable(answers.filter(({ status }) => Number(status) < 400))}
<h4>Errors</h4>
${errorTable(answers.filter(({ status }) => Number(status) >= 400))}
</article>`
}

function keySentence({ security }: Operation): string {
  if (security.length === 0) return 'No key is needed.'
  const scope = `<code>${escape(String(security[0]?.['secretKey']?.[0]))}</code>`
  return security.length === 1
    ? `Needs a secret key with the scope ${scope}.`
    : `Takes a publishable key, or a secret key with the scope ${scope}.`
}

function parameterTable(parameters: readonly Parameter[]): string {
  const rows = parameters.map(({ name, in: place, required, description, schema }) => {
    const row = fieldRow(name, schema, required === true)
    return [
      `<code>${escape(name)}</code>`,
      place,
      need(row),
      explain({ ...row, description: description ?? row.description }),
    ]
  })
  return table(['Name', 'In', '', 'What'], rows)
}

function fieldTable(rows: readonly FieldRow[]): string {
  return table(
    ['Field', '', 'What'],
    rows.map((row) => [`<code>${escape(row.name)}</code>`, need(row), explain(row)]),
  )
}

function need({ isRequired }: FieldRow): string {
  return isRequired ? 'required' : 'optional'
}

function explain({ facts, description, refersTo }: FieldRow): string {
  const link = refersTo === null ? [] : [`<a href="#object-${escape(refersTo)}">${escape(refersTo)}</a>`]
  const bounds = facts.map((fact) => `<code>${escape(fact)}</code>`)
  const text = description === '' ? [] : [escape(description)]
  return [...text, [...link, ...bounds].join(' ')].join('<br>')
}

function answerTable(answers: readonly { readonly status: string; readonly response: Response }[]): string {
  const rows = answers.map(({ status, response }) => {
    const content = Object.entries(response.content ?? {}).map(([type, { schema }]) => {
      return `${explain(fieldRow('', schema, true))} <code>${escape(type)}</code>`
    })
    const headers = Object.keys(response.headers ?? {}).map((name) => `<code>${escape(name)}</code>`)
    return [status, content.join('<br>') || 'no body', headers.join(' ')]
  })
  return table(['Status', 'Body', 'Headers'], rows)
}

function errorTable(answers: readonly { readonly status: string; readonly response: Response }[]): string {
  const rows = answers.flatMap(({ status, response }) =>
    problemCodes(response).map((code) => {
      const { title, retryable } = problemKinds[code]
      return [status, `<code>${code}</code>`, `${escape(title)}${retryable ? '; may succeed later' : ''}`]
    }),
  )
  return table(['Status', 'Code', 'What'], rows)
}

function problemCodes(response: Response): readonly ProblemCode[] {
  const schema = Object.values(response.content ?? {})[0]?.schema
  const narrowed = schema?.allOf?.find((part) => part.properties !== undefined)
  return (narrowed?.properties?.['code']?.enum ?? []) as readonly ProblemCode[]
}

function objectSection(title: string, schema: SchemaNode): string {
  const rows = fieldRows(schema)
  const fields = rows.length === 0 ? `<p><code>${escape(schemaFacts(schema).join(' '))}</code></p>` : fieldTable(rows)
  return `<article id="object-${escape(title)}"><h3>${escape(title)}</h3>
${schema.description === undefined ? '' : `<p>${escape(schema.description)}</p>`}
${fields}
<pre>${escape(JSON.stringify(schema.examples?.[0], null, 2))}</pre></article>`
}

function curl(
  method: Method,
  path: string,
  operation: Operation,
  parameters: readonly Parameter[],
  body: SchemaNode | undefined,
): string {
  const filled = parameters
    .filter((parameter) => parameter.in === 'path')
    .reduce((text, { name, schema }) => text.replace(`{${name}}`, String(schema.examples?.[0])), path)
  const parts = [`curl -sS${method === 'get' ? '' : ` -X ${method.toUpperCase()}`} 'http://127.0.0.1:8080${filled}'`]
  if (operation.security.length > 0) parts.push(`-H "Authorization: Bearer $KEY"`)
  if (parameters.some(({ name }) => name === 'Idempotency-Key'))
    parts.push(`-H "Idempotency-Key: $(node -p 'crypto.randomUUID()')"`)
  if (body !== undefined) {
    parts.push(`-H 'Content-Type: application/json'`)
    parts.push(`-d '${JSON.stringify(body.examples?.[0]).replaceAll("'", String.raw`'\''`)}'`)
  }
  return parts.join(' \\\n  ')
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[], tag: 'th' | 'td'): string =>
    `<tr>${cells.map((cell) => `<${tag}>${cell}</${tag}>`).join('')}</tr>`
  const body = rows.map((row) => line(row, 'td')).join('\n')
  return `<div class="table"><table><thead>${line(head, 'th')}</thead><tbody>${body}</tbody></table></div>`
}

/** What a reference within the document stands for; anything else as it is. */
function resolve<Value extends object>(document: OpenApiDocument, node: Value | Ref): Value {
  if (!('$ref' in node) || typeof node.$ref !== 'string') return node as Value
  const steps = node.$ref.split('/').slice(1)
  const target = steps.reduce<unknown>((at, step) => (at as Record<string, unknown>)[step], document)
  if (target === undefined) throw new Error(`${node.$ref} refers to nothing`)
  return target as Value
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}
