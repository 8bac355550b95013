import type { Holdfast, Logger, Tenant, Visitor } from '@holdfast/server'
import type { Accounts } from '../accounts/accounts.js'
import type { Clock } from '../clock.js'
import type { Changes } from '../runs/changes.js'
import type { RunDesk } from '../runs/run-desk.js'
import type { Store, User } from '../store/store.js'
import type { UserBounds } from './bounds.js'
import type { RateLimits } from './rate-limits.js'
import type { ReportWriter } from './report-writer.js'
import type { SignInCodes } from './sign-in-codes.js'

/** What every route works with. */
export interface ApiParts {
  readonly store: Store
  readonly accounts: Accounts
  readonly desk: RunDesk
  readonly bounds: UserBounds
  readonly changes: Changes
  readonly holdfast: Pick<Holdfast, 'identify' | 'fetch' | 'stats'>
  readonly tenant: Pick<Tenant, 'revokeToken' | 'user'>
  readonly codes: SignInCodes
  readonly reports: ReportWriter
  readonly limits: RateLimits
  /** What tokens are signed with. */
  readonly secret: string
  readonly clock: Clock
  readonly log: Logger
}

/** What a handler finds in its context. */
export interface ApiEnvironment {
  Bindings: { readonly visitor: Visitor }
  Variables: {
    /** Whoever asks; on every route but those that are open. */
    user: User
    /** The id of the token. */
    tokenId: string | undefined
  }
}

/** The tenant of Holdfast in which everybody is. */
export const TENANT = 'fill-scheduler'
