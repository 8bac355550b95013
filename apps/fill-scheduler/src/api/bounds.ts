import type { NoRoomError, Room } from '../store/store.js'
import { ApiError } from './api-error.js'

/** How much one user may have. */
export interface UserBounds extends Room {
  readonly templatesMax: number
}

/** What holds where nobody says otherwise: work of years, and still a store that can be copied. */
export const DEFAULT_BOUNDS: UserBounds = { openMax: 20, plansMax: 2_000, templatesMax: 200 }

/** Nothing is deleted to make room: a plan may be the record of what was filled, and only its owner knows. So more is refused, with the bound and the way out. */
export function boundError({ limit, max }: NoRoomError): ApiError {
  return new ApiError('limit_exceeded', WAYS_OUT[limit](max), { status: 422, details: { limit, max } })
}

const WAYS_OUT = {
  open_runs: (max) =>
    `At most ${max} schedules and comparisons may be open at a time; wait for one to end, or cancel one`,
  plans: (max) => `At most ${max} schedules and comparisons are kept for you; delete what you need no longer`,
  templates: (max) => `At most ${max} templates are kept for you; delete what you need no longer`,
} satisfies Record<NoRoomError['limit'], (max: number) => string>
