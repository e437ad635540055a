import { hash } from 'node:crypto'
import Type from 'typebox'
import { openApiDocument } from '../openapi/document.ts'
import { referencePage, referencePagePolicy } from '../openapi/reference-page.ts'
import type { PlainResponse, PlainRoute } from '../serve-plain.ts'
import type { ReadRoute, SlowReadRoute } from '../serve-read.ts'
import type { WebhookRoute } from '../serve-webhook.ts'
import type { WriteRoute } from '../serve-write.ts'

const openApiAnswer = Type.Object(
  {
    openapi: Type.Literal('3.1.0'),
    info: Type.Object({}, { examples: [{ title: 'Penstock', version: '1' }] }),
    servers: Type.Array(Type.Object({}, { examples: [{ url: '/' }] })),
    tags: Type.Array(Type.Object({}, { examples: [{ name: 'Drops' }] })),
    paths: Type.Object({}, { examples: [{}] }),
    components: Type.Object({}, { examples: [{}] }),
  },
  { title: 'OpenApi', description: 'an OpenAPI document (spec.openapis.org/oas/v3.1.1)' },
)

/** `GET /openapi.json` and `GET /docs`: what `others` and these two say of themselves. The bytes are made here, once. */
export function documentRoutes(
  others: readonly (WriteRoute | ReadRoute | SlowReadRoute | PlainRoute | WebhookRoute)[],
): PlainRoute[] {
  const openApi: PlainRoute = {
    kind: 'plain',
    path: '/openapi.json',
    summary: 'This API as an OpenAPI document',
    contentType: 'application/json',
    answer: openApiAnswer,
    problems: [],
    hasTag: true,
    respond: () => json,
  }
  const docs: PlainRoute = {
    kind: 'plain',
    path: '/docs',
    summary: 'This API as a page to read',
    contentType: 'text/html; charset=utf-8',
    answer: Type.String(),
    problems: [],
    hasTag: true,
    respond: () => html,
  }
  const document = openApiDocument([...others, openApi, docs])
  const json = constantResponse(JSON.stringify(document), [])
  const html = constantResponse(referencePage(document), [
    'Content-Security-Policy',
    referencePagePolicy,
    'Referrer-Policy',
    'no-referrer',
  ])
  return [openApi, docs]
}

function constantResponse(text: string, headers: readonly string[]): PlainResponse {
  const etag = `"${hash('sha1', text, 'base64url')}"`
  const shared = ['Cache-Control', 'no-cache', 'X-Content-Type-Options', 'nosniff']
  return { body: Buffer.from(text), etag, headers: [...shared, ...headers] }
}
