/** What one node reports when a server was replaced. */
export interface Report {
  readonly who: string
  /** Nodes that it knew to be there, itself included if it was. */
  readonly members: readonly string[]
  /**
   * How much it can say of what the server before had stored: `everything` of what may be missing, together with the other members; `part` of it, so that what is
   * missing may go unnoticed; `nothing`, because it was not there.
   */
  readonly knows: 'everything' | 'part' | 'nothing'
  /** The number of the newest mark that it knows, and of the newest at which somebody was found gone. */
  readonly number: number
  readonly gone: number
  /** The newest generation that it knows; '' for none. */
  readonly generation: string
}

/** What the server that is mustered for has stored. */
export interface StoredMarks {
  /** Undefined where it holds no marks. */
  readonly number: number | undefined
  readonly members: readonly string[]
  /** Whether it holds nothing at all. */
  readonly isEmpty: boolean
  /** Whether its data is what it had itself written to its file. */
  readonly isItsOwn: boolean
}

/** What comes of a muster. */
export interface Verdict {
  /** Members whose reports may still change it: what they know of losses nobody else may know. */
  readonly awaited: readonly string[]
  /** Why logs cannot be trusted to go on under their epochs; undefined when all of them can that were not ended already. */
  readonly doubt: string | undefined
}

/** Judges whether everything that may be missing is known to somebody who has reported: each reporter has then ended the epochs that it found damaged. */
export function judge(stored: StoredMarks, reports: readonly Report[]): Verdict {
  // Where nothing is, nothing goes on: every log begins under another epoch.
  if (stored.isEmpty) return { awaited: [], doubt: undefined }
  const doubt = doubtOf(stored, reports)
  if (doubt !== undefined) return { awaited: [], doubt }
  const reported = new Set(reports.map(({ who }) => who))
  const members = new Set([...stored.members, ...reports.flatMap((report) => report.members)])
  const awaited = [...members].filter((member) => !reported.has(member))
  if (awaited.length > 0) return { awaited, doubt: `${awaited.length} nodes that may know more have not reported` }
  return { awaited, doubt: isRemembered(stored, reports) ? undefined : 'no node remembers what was stored' }
}

/** What no further report can dispel. */
function doubtOf(stored: StoredMarks, reports: readonly Report[]): string | undefined {
  if (stored.number === undefined) return 'the server holds no marks of ours'
  return reports.some(({ knows }) => knows === 'part') ? 'what went before is not known in full' : undefined
}

/** By somebody; or everybody has left in order, and what they were told the server had written before it ended, if its file is its own. */
function isRemembered(stored: StoredMarks, reports: readonly Report[]): boolean {
  return stored.isItsOwn || reports.some(({ knows }) => knows === 'everything')
}
