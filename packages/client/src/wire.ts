import type { Report } from './emitter.js'
import type { Link, Welcome } from './link.js'
import type { Requests } from './requests.js'
import type { Settings } from './options.js'
import type { Tally } from './statistics.js'

/** What channels and operations use of the client they belong to. */
export interface Wire {
  readonly settings: Settings
  readonly requests: Requests
  readonly tally: Tally
  readonly report: Report
  /** The connection, while there is one. */
  link(): Link | undefined
  /** What the server said last about who we are. */
  welcome(): Welcome | undefined
}
