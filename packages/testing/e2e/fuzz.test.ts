import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Box } from '../box.ts'
import { runCampaign } from '../fuzz/campaign.ts'
import { operationsOf } from '../openapi/answer-check.ts'
import { currentDocument } from '../openapi/golden.ts'
import { signedOperations } from '../fuzz/rules.ts'
import { stockEnvironment } from '../fuzz/stock-pool.ts'
import type { OpenApiDocument } from '@penstock/http/openapi/document.ts'

/** Short, and the same every time; `npm run fuzz` looks further. */
const seed = 17
const requestsPerOperation = 60
const timeMs = 5_000

describe.each(['uws', 'node'] as const)('generated requests on %s', (transport) => {
  let box: Box
  const document = currentDocument()

  beforeAll(async () => {
    box = await Box.start({ transport, environment: stockEnvironment })
  })

  afterAll(() => box.stop())

  it('are answered as the document says, and end no process', async () => {
    const { pids } = box
    const reports = await runCampaign(box, document, { seed, requestsPerOperation, timeMs })
    const succeeded = reports.filter(({ statuses }) => [...statuses.keys()].some((status) => status < 300))
    // A campaign that only sees refusals proves little.
    expect(succeeded.map(({ operationId }) => operationId)).toEqual(
      operationsOf(document)
        .map(({ operation }) => operation.operationId)
        .filter((operationId) => !signedOperations.includes(operationId)),
    )
    expect(box.pids).toEqual(pids)
  })

  it('are not answered as a document says that promises more', async () => {
    const run = (change: (text: string) => string): Promise<unknown> => {
      const { paths, ...rest } = document
      const holds = JSON.stringify({ ...rest, paths: { '/v1/holds': paths['/v1/holds'] } })
      expect(change(holds)).not.toBe(holds)
      return runCampaign(box, JSON.parse(change(holds)) as OpenApiDocument, { seed, requestsPerOperation: 300, timeMs })
    }
    const more = run((text) => text.replaceAll('"maxLength":254', '"maxLength":255'))
    await expect(more).rejects.toThrow(/a request that fits the document was refused/)
    const other = run((text) => text.replaceAll('"expires_at":{"type":"integer"', '"expires_at":{"type":"string"'))
    await expect(other).rejects.toThrow(/expires_at must be string/)
    const unlisted = run((text) => text.replaceAll('"404":', '"418":'))
    await expect(unlisted).rejects.toThrow(/createHold lists .*not 404/)
  })
})
