export type { Authentication, AuthenticationFailure, Authenticator } from './access/authenticator.js'
export type { ApiKeyOptions, NewApiKey } from './access/api-key.js'
export type {
  Access,
  AccessPredicate,
  ChannelRuleOptions,
  DegradedPolicy,
  SlowPolicy,
  Verb,
} from './access/channel-rules.js'
export type { Grants } from './access/grants.js'
export type { Identity } from './access/identity.js'
export type { OriginStats, Origins } from './access/origin-policy.js'
export type { BlockedPair, CountedPair, OriginPair } from './access/origin-violations.js'
export type { Visitor } from './access/perimeter.js'
export type { ChannelTokenClaims } from './access/channel-token.js'
export type { PublicAlgorithm, SecretAlgorithm, TokenAlgorithm } from './access/token-algorithm.js'
export type { ClaimNames } from './access/token-claims.js'
export type { JsonWebKey } from './access/token-key.js'
export type { TokenClaims } from './access/token.js'
export type { Cancel, Clock } from './clock.js'
export { type ChannelPattern, compileChannelPattern } from './access/channel-pattern.js'
export { HoldfastError } from './core/errors.js'
export { TokenBucket } from './token-bucket.js'
export type { LimitName } from './core/limits/refusals.js'
export type { LimitStats } from './core/limits/safeguards.js'
export type { QuotaStats, TenantUsage } from './core/limits/quotas.js'
export type { Quota, QuotaLimits } from './core/limits/quota.js'
export type { Method, MethodContext, StandardResult, StandardSchema } from './core/connection/methods.js'
export { createApiKey, signChannelToken } from './credentials.js'
export { durationMs } from './duration.js'
export type { DiskStats } from './engine/engine.js'
export { DiskEngine, type DiskEngineOptions, type DiskEngineParts } from './engine/disk/disk-engine.js'
export type * from './engine/engine.js'
export { MemoryEngine, type MemoryEngineOptions } from './engine/memory/memory-engine.js'
export { RedisEngine, type RedisEngineParts } from './engine/redis/redis-engine.js'
export { type RedisEngineOptions, redisOptions } from './engine/redis/redis-options.js'
export { type AsyncApiDocument, type AsyncApiPlace, asyncApiDocument } from './http/asyncapi/document.js'
export type { OpenApiDocument } from './http/openapi.js'
export type { ProtectedHandler, RequestHandler } from './http/protection.js'
export { openApiDocument } from './http/routes.js'
export { SECURITY_HEADERS } from './http/security-headers.js'
export { Holdfast, type Identified, type Listening, createHoldfast } from './holdfast.js'
export type {
  ChannelEvent,
  ConnectionEvent,
  DisconnectedEvent,
  LifecycleEvent,
  LifecycleEvents,
  LifecycleHeading,
  LifecycleType,
  MemberEvent,
  NotificationEvent,
  NotificationExpiredEvent,
  NotificationUnreachableEvent,
} from './lifecycle/event.js'
export type { LifecycleHook } from './lifecycle/hooks.js'
export type { LifecycleStats } from './lifecycle/lifecycle.js'
export type { OperationStats } from './operations/operations.js'
export type { ReportsStats } from './operations/reports-reader.js'
export type {
  OperationEnding,
  OperationPage,
  OperationQuery,
  OperationReport,
  OperationSpec,
  WorkerWord,
} from './operations/desk.js'
export type { WorkerSpec } from './operations/operations.js'
export type { Notification, NotificationPriority } from './notifications/notification.js'
export type { NotificationStats } from './notifications/notifications.js'
export type { ExpiryReason, NotificationReceipt, ReceiptState } from './notifications/receipt.js'
export type { ReceiptWait } from './notifications/waits.js'
export { Operation, OperationCancelled, OperationSuperseded } from './operations/operation.js'
export type { PhaseSpec, ProgressReport } from './operations/progress.js'
export type { EngineChoice, HoldfastOptions } from './options.js'
export type { AnonymousOptions, TokenOptions } from './options/auth-options.js'
export type { Environment } from './options/environment.js'
export type { IssuerOptions, KeyOptions, KeySetOptions } from './options/issuer-options.js'
export type { OriginOptions, OriginsOption } from './options/origin-options.js'
export type { LimitOptions } from './options/limit-options.js'
export type { OverloadOptions, RateOptions } from './options/rate-options.js'
export type { QuotaOptions, TenancyOptions, TenantOptions } from './options/tenant-options.js'
export type { MemoryProbe, MemoryUse } from './memory.js'
export { isLoopbackAddress } from './network-address.js'
export { OptionsError } from './options/options-error.js'
export type { RoleOptions } from './options/role-options.js'
export type { DecisionWebhookOptions, WebhookOptions } from './options/webhook-options.js'
export type { Random } from './random.js'
export { signToken } from './sign-token.js'
export type { Logger } from './telemetry/log.js'
export type { HoldfastStats } from './telemetry/stats.js'
export {
  type HistoryMessage,
  type HistoryPage,
  type NotifyResult,
  type PublishResult,
  Tenant,
  type TenantReceipts,
} from './tenant.js'
export type { TenantOperations } from './tenant-operations.js'
export { type ApiKeyInfo, type ApiKeySpec, type KeyRequester, TenantKeys } from './tenant-keys.js'
export {
  type ChannelTokenOptions,
  type OwnOperationSpec,
  TenantUser,
  type UserOperations,
  type WithdrawOptions,
} from './tenant-user.js'
export { type VerifyWebhookOptions, verifyWebhook } from './webhooks/signature.js'
