import { openApiDocument } from '@penstock/http/openapi/document.ts'
import { routes } from '@penstock/http/routes/index.ts'
import type { OpenApiDocument } from '@penstock/http/openapi/document.ts'

/** The committed document: what client generators and reviewers read without a running server. */
export const goldenUrl = new URL('../../../docs/openapi.json', import.meta.url)

/** What the routes say now. */
export function currentDocument(): OpenApiDocument {
  return openApiDocument(routes)
}

/** The text of the golden file for `document`. */
export function goldenText(document: OpenApiDocument): string {
  return `${JSON.stringify(document, null, 2)}\n`
}
