import type { Candidate, CandidateName } from './candidate.js'
import { holdfast } from './holdfast.js'
import { socketIo } from './socket-io.js'

/** Every candidate, by name. */
export const CANDIDATES: Readonly<Record<CandidateName, Candidate>> = { holdfast, 'socket-io': socketIo }
