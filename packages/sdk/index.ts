export { Penstock } from './penstock.ts'
export {
  ConnectionError,
  PenstockError,
  problemCodes,
  ProblemError,
  TimeoutError,
  type FailedRequest,
  type Problem,
  type ProblemCode,
} from './errors.ts'
export {
  verifyWebhook,
  WebhookVerificationError,
  type WebhookEvent,
  type WebhookFault,
  type WebhookHeaders,
  type WebhookOptions,
} from './webhook.ts'
export type { HoldOptions, PenstockOptions, RequestOptions, RetryOptions } from './options.ts'
export type { CreatedParams, Listed, Listing, ListPage, ListParams } from './listing.ts'
export type { ApiKey, ApiKeyCreate, ApiKeys, ApiKeyWithSecret, Scope } from './api-keys.ts'
export type { Checkout, CheckoutCreate, CheckoutProvider } from './checkout.ts'
export type { Codes, CodeStatus, VerifiedCode } from './codes.ts'
export type { Address, Customer, CustomerCreate } from './customer.ts'
export type { Dispute, DisputeCreate, DisputeListParams, Disputes, DisputeStatus } from './disputes.ts'
export type {
  Drop,
  DropCreate,
  DropFee,
  DropListParams,
  Drops,
  DropStatus,
  DropUpdate,
  FeeKind,
  LatePayment,
  Sku,
  SkuCreate,
  SkuUpdate,
} from './drops.ts'
export type { EventListParams, Events, PenstockEvent } from './events.ts'
export type { Customers } from './customers.ts'
export type { ExportedNoun, ExportParams, Exports } from './exports.ts'
export type { Fee, Hold, HoldCreate, HoldLine, HoldListParams, Holds, HoldStatus } from './holds.ts'
export type { Ledger, LedgerBalance, LedgerEntry, LedgerEntryListParams } from './ledger.ts'
export type {
  Order,
  OrderCancel,
  OrderCode,
  OrderLine,
  OrderListParams,
  Orders,
  OrderStatus,
  OrderWithCodes,
} from './orders.ts'
export type { Payment, PaymentCreate, PaymentListParams, PaymentReason, Payments, PaymentStatus } from './payments.ts'
export type { Refund, RefundCreate, RefundLine, RefundListParams, Refunds, RefundStatus } from './refunds.ts'
export type {
  WebhookAttempt,
  WebhookAttemptFault,
  WebhookDeliveries,
  WebhookDelivery,
  WebhookDeliveryListParams,
  WebhookDeliveryStatus,
} from './webhook-deliveries.ts'
export type {
  DeletedWebhookEndpoint,
  WebhookDisabledReason,
  WebhookEndpoint,
  WebhookEndpointCreate,
  WebhookEndpoints,
  WebhookEndpointStatus,
  WebhookEndpointUpdate,
  WebhookEndpointWithSecret,
  WebhookReplay,
} from './webhook-endpoints.ts'
export type { DropHandlers, SubscribeOptions } from './watch-drop.ts'
