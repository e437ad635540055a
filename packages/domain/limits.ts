/**
 * Every bound of the system, in one place, with its unit last and its reason beside it. A queue, body, wait or retry
 * without a line here is a defect (promise P9). The relations between the bounds are asserted at the end.
 */

// Money and quantities. Amounts are integers in minor units (cents; whole yen).
/** About 10 billion dollars a unit; large enough for any currency's smallest unit. */
export const unitAmountMax = 1_000_000_000_000
export const quantityPerLineMax = 1_000
/** Lines of one hold. With the two bounds above, adding them up stays exact (asserted below). */
export const linesPerHoldMax = 8
/** Of one hold and one payment. The ledger adds up a whole batch of them exactly (asserted below). */
export const amountMax = 1_000_000_000_000
export const stockMax = 100_000_000
/** Fee lines of one drop, and so of one hold. */
export const feesPerDropMax = 8
/** As much as the goods themselves. */
export const basisPointsMax = 10_000
/** SKUs of one drop: keeps a drop's commands and answers far below one frame. */
export const skusPerDropMax = 500
export const maxPerOrderMax = linesPerHoldMax * quantityPerLineMax
export const maxPerCustomerMax = linesPerHoldMax * quantityPerLineMax

// Texts, in Unicode code points as JSON Schema counts them: one emoji is one.
export const nameLengthMax = 200
export const descriptionLengthMax = 5_000
export const urlLengthMax = 2_000
export const emailLengthMax = 254
export const phoneLengthMax = 32
export const addressLengthMax = 200
export const externalIdLengthMax = 200
export const reasonLengthMax = 500
export const providerLengthMax = 32
export const metadataKeysMax = 50
export const metadataKeyLengthMax = 40
export const metadataValueLengthMax = 500
/** Stripe's bound for `Idempotency-Key` (docs.stripe.com/idempotency). */
export const idempotencyKeyLengthMax = 255
export const secretLengthMin = 24
export const secretLengthMax = 255

// Times. Wire times are Unix seconds; everything inside is milliseconds.
export const holdTtlDefaultMs = 600_000
export const holdTtlMinMs = 1_000
export const holdTtlMaxMs = 7 * 86_400_000
/** Unix seconds; the year 5138. Beyond it a time is a mistake (milliseconds sent as seconds). */
export const wireTimeMax = 100_000_000_000

// HTTP.
/** A drop with `skusPerDropMax` SKUs and long texts fits; a hold or payment is below 2 KiB. */
export const bodyBytesMax = 256 * 1024
export const pageSizeDefault = 10
export const pageSizeMax = 100
/** From a command's submission to its answer, whatever happens to the writer. Then 504: unknown, retry the key. */
export const requestDeadlineMs = 5_000
/** How long a read waits for the commit named by Penstock-Min-Seq before it answers 503. */
export const minSeqWaitMs = 2_000
/**
 * An HTTP process says by itself that a drop is sold out only so long after its start and before its end: what is live is
 * for the writer's clock to say. Both are of one machine, so this is for the steps of a clock that is corrected.
 */
export const liveMarginMs = 100
/** Reads of one process that may wait for a commit at once. */
export const minSeqWaitersMax = 4_096
/** Rendered answers of GET /v1/drops kept per version of the catalogue: one per distinct query. */
export const catalogueCacheEntriesMax = 64
/**
 * API keys whose check is remembered, and for how long. A revoked key dies with the writer's next commit message, or,
 * should there be no writer, within this time.
 */
export const credentialCacheEntriesMax = 1_024
export const credentialCacheMs = 2_000
/** How often an HTTP process reports which keys were used: `last_used_at` is behind by about so much. */
export const keyUseIntervalMs = 60_000
/** How long a stopping process waits for the writer to take its last report of keys used. */
export const keyUseDrainMs = 500
/** From rolling a key to the end of the old one. */
export const keyOverlapDefaultMs = 86_400_000
export const keyOverlapMaxMs = 7 * 86_400_000
/** Threads of one HTTP process for slow reads. One: the cores belong to the writer and the event loops. */
export const slowReadThreads = 1
/** A thread nobody needs ends after this. */
export const slowReadThreadIdleMs = 60_000
/** Heap of such a thread, in MiB; it holds one step at a time. */
export const slowReadHeapMb = 128
/** Lists of one process being read or waiting for the thread. Full: 503. */
export const slowListsMax = 64
/** Exports of one process under way. Full: 503. */
export const exportsMax = 4
/** Rows one statement of a slow read looks at: some milliseconds, so that it holds neither the WAL nor the thread. */
export const scanRowsPerStep = 2_048
/** Holds whose customer one step of an erasure by e-mail erases: few beside what payments bring. */
export const erasuresPerStep = 64
/** Rows one piece of an export has at most, some 500 bytes each: a millisecond or two, which a payment beside it hardly feels. */
export const exportRowsPerStep = 128
/** While buyers wait, an export rests so many times as long as its step took: the exports of a process get a tenth of a core. */
export const exportRestFactor = 9
export const exportRestMaxMs = 500
/** A list that has not filled its page by then answers with what it found. Looked at between two steps. */
export const slowReadDeadlineMs = 2_000
/** One step with its wait for the thread. Past it something is broken: the thread is ended and the read refused. */
export const slowReadStepMs = 5_000
/** A whole export; past it the connection is broken off. */
export const exportDeadlineMs = 900_000
/** A client that takes nothing of a streamed body for so long is cut off. */
export const streamStallMs = 10_000
/** In characters: what a list is searched for. */
export const searchLengthMax = 200
/** Live pages of one process, each an open connection. Full: 503. */
export const liveStreamsMax = 10_000
/** One drop is told of at most once in so long; how often changes are looked for. */
export const liveIntervalMs = 100
export const liveTickMs = 50
/** A live page hears something at least so often. It is also when a client that went away is noticed. */
export const liveHeartbeatMs = 10_000
/** A live page is asked to come again after so long: with a key that is still good, to a process that may be another. */
export const liveStreamMaxMs = 3_600_000
/** For clients that want a few. */
export const liveEventsMax = 1_000
/** Time for requests in flight when a process stops. */
export const httpDrainMs = 10_000
/** Retry-After of a 503, in whole seconds; clients add their own jitter. */
export const retryAfterSeconds = 1

/** Attempts of one call to payOS, and the wait after the first, which doubles. The call's own deadline comes first. */
export const payosAttemptsMax = 4
export const payosRetryWaitMs = 200
// Payment providers.
/** How far the time in a webhook's signature may be from ours, either way; Stripe's own default. */
export const webhookToleranceMs = 300_000
/** Signatures of one webhook that are compared: more than any rotation needs. */
export const webhookSignaturesMax = 8
/** Secrets of one provider that are accepted at once. */
export const webhookSecretsMax = 4
/** A payment, refund or dispute id of a provider. */
export const providerIdLengthMax = 255
/** Facts that wait for their payment and are kept in memory, the newest. Older ones stay in the database only. */
export const waitingFactsMax = 65_536
/**
 * One call to a provider from a request, with all its attempts. Then comes the writer, and a connection that hears nothing
 * for 10 s is closed by uWebSockets.js.
 */
export const providerCallMs = 4_500
/** One attempt of a call. */
export const providerAttemptMs = 2_000
export const providerAttemptsMax = 3
/** Before the second attempt, doubled for each next one, each with up to half of it as jitter. */
export const providerBackoffMinMs = 200
/** Calls to providers that one HTTP process has under way. Full: 503. */
export const providerCallsMax = 64
/** Webhooks the test provider still has to send, and for how long one may be delayed. */
export const testWebhooksMax = 1_024
export const testWebhookDelayMaxMs = 600_000
/** Copies of one webhook of the test provider. */
export const testWebhookCopiesMax = 10

// Between the processes.
export const frameBytesMax = 1024 * 1024
/** Commands of one HTTP process waiting for their results. Full: 503 before anything is sent. */
export const commandsInFlightMax = 8_192
export const commandsPerFrameMax = 512
/** Losses of the connection that a command may be under way in before it is given up: one may be its own doing. */
export const commandLossesMax = 2
/** SKUs whose counters one commit lists (some 50 bytes each); of more, HTTP processes are told to read the drops. */
export const skusPerCommitMax = 4_096
/** Bytes the writer may have queued towards one HTTP process before it closes the connection as stalled. */
export const replyBacklogBytesMax = 64 * 1024 * 1024
export const httpProcessesMax = 64
/**
 * The 12 bits of an id behind its milliseconds, of those that have a number (id-number.ts): the slot that the writer
 * gave to the process, one of half of these (the other half belongs to the writer before), and a count. A process that
 * makes more in one millisecond borrows from the next, so 16,000 a second for ever, more for a while.
 */
export const idSlots = 256
export const idsPerSlotAndMs = 16
/** Handshake: from connect to welcome. */
export const handshakeDeadlineMs = 2_000
/** Reconnect to the writer: first wait, doubled up to the second, each with half of it as jitter. */
export const reconnectMinMs = 10
export const reconnectMaxMs = 250

// The writer.
/** Commands waiting for a group commit. Full: "overloaded", retryable. */
export const commitQueueMax = 65_536
/** Commands of one group commit: bounds the time a batch holds the database, and so everybody's latency. */
export const batchCommandsMax = 1_024
/** Holds ended by one expire_holds command; the rest follow in the next batch. */
export const expiriesPerCommandMax = 1_024
/** How often the writer looks for holds past their deadline. A hold ends within 1 s of it. */
export const expiryIntervalMs = 200
/** How far apart the clocks of an HTTP process, which mints ids, and of the writer may be, waiting included. */
export const clockSkewMs = 60_000
/** WAL pages (4 KiB each): checkpoint when idle, checkpoint although busy, and the bound that blocks. */
export const walPagesIdle = 1_000
export const walPagesBusy = 4_096
export const walPagesMax = 65_536
/** How long the blocking checkpoint at `walPagesMax` waits for readers. */
export const checkpointWaitMs = 1_000
/** After readers stood in its way, the blocking checkpoint is not tried again for so long. */
export const checkpointPauseMs = 10_000
/** Commits between two looks at the WAL. */
export const commitsPerWalCheck = 64
export const writerDrainMs = 10_000

// The courier (docs/adr/0010-webhooks.md).
/** Time for webhooks under way when the courier stops. What has no answer by then is sent again, with the same id. */
export const courierDrainMs = 5_000
/** How long a new courier waits for the one before it to end: its drain, and some. */
export const courierLockWaitMs = 10_000
/** How often the courier looks for new events and due retries. */
export const courierTickMs = 100
/** Endpoints of a box: each costs the courier a window in memory and, while it takes events, the writer a row per event. */
export const webhookEndpointsMax = 16
/** Deliveries of one endpoint in memory: under way, waiting for a retry, or behind one of their order. Full: it takes no more. */
export const webhookWindowMax = 512
/** Requests to one endpoint at once. */
export const webhookConcurrencyMax = 16
/** Events read by one statement. */
export const webhookEventsPerRead = 256
/** From connecting to the end of the answer. */
export const webhookTimeoutMs = 15_000
/** Attempts of one delivery after its first. */
export const webhookRetriesMax = 20
/** The longest wait a setting can ask for. */
export const webhookRetryDelayMaxMs = 7 * 86_400_000
export const webhookTimeoutMaxMs = 60_000
/** In percent: a wait is so much longer at most, by chance, so that what failed together is not tried together. */
export const webhookJitterPercent = 20
/** The longest wait a receiver's Retry-After can ask for. */
export const webhookRetryAfterMaxMs = 86_400_000
/** Failed attempts in a row, after which the first success has everything that waits tried at once. */
export const webhookDownAfterFailures = 5
/** At most so often. */
export const webhookRecoveryIntervalMs = 60_000
/** Of an answer: read so that the connection can be used again, never kept. Past it the connection is closed. */
export const webhookAnswerBytesMax = 64 * 1024
/** Idle connections to receivers are closed after this. */
export const webhookKeepAliveMs = 10_000
/** Events nobody wants, after which an endpoint's place is saved although nothing was sent. */
export const webhookCursorLag = 4_096
/** Outcomes of one command, some 150 bytes each. */
export const webhookOutcomesPerCommand = 256
/** The least time between two reports to the writer: what ended meanwhile shares one commit. */
export const webhookReportIntervalMs = 50
/** Attempts that are remembered of one delivery. */
export const webhookAttemptsKept = 20
/** From rotating a secret to the end of the old one. */
export const webhookOverlapDefaultMs = 86_400_000
export const webhookOverlapMaxMs = 7 * 86_400_000
/** Secrets of one endpoint that sign at once; the oldest gives way. */
export const endpointSecretsMax = 4
/** Events of one replay. */
export const webhookReplayEventsMax = 100_000

// What the courier asks payment providers (packages/courier/DESIGN.md).
/** Calls of one job (refunds, reconciliation) to one provider at once. */
export const providerJobConcurrencyMax = 4
/** Refunds or checkouts of one job and provider in memory: under way, or waiting after a failure. Full: the rest waits in the database. */
export const providerJobWindowMax = 256
/** One of its calls, with all attempts; nobody waits for it. */
export const courierCallMs = 10_000
/** Rows looked at for one job and provider in one tick: some milliseconds. */
export const providerJobRowsPerTick = 256
/** Refunds that the writer is asked to make, and has not answered. */
export const autoRefundsInFlightMax = 64
/**
 * A refund older than this, or than the first age to ask at, is looked for at the provider before it is asked for: under
 * a known key it would repeat its first answer, and providers forget keys, Stripe after 24 h at the earliest.
 */
export const refundLookAgeMs = 60_000
/** The time between two looks through the refunds that are pending, and so before a new one is asked for. */
export const refundPassMs = 500
/** The time between two looks through the checkouts that are open; less when the first age to ask at is less. */
export const providerPassMaxMs = 10_000
/** The longest wait before a report that the writer refused is sent again. */
export const reportRetryMaxMs = 60_000

// Remembered requests (docs/adr/0007-idempotency-retention.md).
/** A stored Idempotency-Key is kept at least so long; Stripe's bound. */
export const requestRetentionMs = 86_400_000
/** A busy writer forgets old requests once in so many new ones, and then so many for each of these. */
export const requestsPerForgetting = 512
export const forgetPerRequest = 2
/** Requests forgotten between two commits: some milliseconds. */
export const forgetRowsMax = 4_096
export const forgetRowsIdle = 1_024
/** Index entries looked through for each request that may be forgotten. */
export const sweepPerForgotten = 4
/** So many ticks (`expiryIntervalMs`) without a commit, 5 s, before an idle writer empties the tails of its indexes. */
export const idleCallsBeforeEmptying = 25
/** A reader waits this long for a lock at most; it never blocks on the writer in WAL mode. */
export const readerBusyMs = 100
/** The writer is the only writer; waiting longer means a foreign process has the database. */
export const writerBusyMs = 5_000

// The supervisor (`penstock start`).
export const restartMinMs = 100
export const restartMaxMs = 5_000
/** A process that ran this long starts again after the first wait, not a doubled one. */
export const restartResetMs = 10_000
export const startDeadlineMs = 15_000

const relations: readonly (readonly [boolean, string])[] = [
  [unitAmountMax * quantityPerLineMax * linesPerHoldMax <= Number.MAX_SAFE_INTEGER, 'a hold adds up exactly'],
  [amountMax + feesPerDropMax * amountMax <= Number.MAX_SAFE_INTEGER, 'goods and fees add up exactly'],
  [(amountMax / 10_000) * basisPointsMax + 10_000 * basisPointsMax <= Number.MAX_SAFE_INTEGER, 'a share is exact'],
  [amountMax * batchCommandsMax <= Number.MAX_SAFE_INTEGER, 'the amounts of a batch add up exactly'],
  [bodyBytesMax * 2 < frameBytesMax, 'any one command fits a frame'],
  [commandsInFlightMax * 2 <= commitQueueMax, 'two HTTP processes cannot fill the commit queue alone'],
  [providerAttemptMs < providerCallMs, 'a call to a provider has time for a second attempt'],
  [providerCallMs + requestDeadlineMs < 10_000, 'a checkout is answered before its connection is idle for too long'],
  [expiryIntervalMs * 4 < 1_000, 'a hold ends within a second of its deadline'],
  [minSeqWaitMs < requestDeadlineMs, 'a waiting read ends before the request deadline'],
  [liveTickMs * 2 <= liveIntervalMs, 'a change is told soon after it may be'],
  [slowReadDeadlineMs < slowReadStepMs, 'a slow read is out of time before its thread is ended'],
  [exportRowsPerStep <= scanRowsPerStep, 'a full piece of an export fits one step'],
  [pageSizeMax < scanRowsPerStep, 'a page fits one step'],
  [requestDeadlineMs < clockSkewMs, 'a command that waited is found by its time'],
  [handshakeDeadlineMs + reconnectMaxMs < requestDeadlineMs, 'a writer restart fits into a request'],
  [walPagesIdle < walPagesBusy && walPagesBusy < walPagesMax, 'checkpoints escalate'],
  [requestRetentionMs >= 86_400_000, 'a key is kept for a day'],
  [forgetPerRequest > 1 && sweepPerForgotten > 1, 'requests are forgotten faster than they come'],
  [
    forgetPerRequest * (requestsPerForgetting + batchCommandsMax) <= forgetRowsMax,
    'requests are forgotten faster than they come in the largest batches',
  ],
  [idSlots * idsPerSlotAndMs === 4_096, 'slot and count of an id fill 12 bits'],
  [httpProcessesMax * 2 <= idSlots / 2, 'all HTTP processes can be replaced while they serve, each with a slot'],
  [keyOverlapDefaultMs <= keyOverlapMaxMs, 'the default overlap is a legal one'],
  [keyUseDrainMs < 1_000, 'the last report of keys used fits into what the supervisor adds to httpDrainMs'],
  [courierDrainMs < courierLockWaitMs && courierLockWaitMs < startDeadlineMs, 'a new courier waits for the old one'],
  [webhookOverlapDefaultMs <= webhookOverlapMaxMs, 'the default overlap of secrets is a legal one'],
  [webhookRetriesMax <= webhookAttemptsKept, 'every attempt of a schedule is remembered'],
  [webhookConcurrencyMax <= webhookWindowMax, 'a window holds what is under way'],
  [webhookOutcomesPerCommand * 512 < frameBytesMax, 'a report of the courier fits a frame'],
  [providerAttemptMs < courierCallMs, 'a call of the courier has time for a second attempt'],
  [providerJobConcurrencyMax <= providerJobWindowMax, 'a window holds the calls under way'],
  [courierCallMs < refundLookAgeMs, 'a refund is looked for when its first call is over'],
  [webhookReportIntervalMs < reportRetryMaxMs, 'a refused report waits longer each time'],
  [pageSizeDefault <= pageSizeMax, 'the default page is a legal page'],
]
for (const [holds, meaning] of relations) {
  if (!holds) throw new Error(`limits.ts contradicts itself: ${meaning}`)
}
