import { EngineUnavailableError } from '../unavailable.js'
import { COMING, CONCLUDE, MARK, REPORT } from './muster-scripts.js'
import type { Report, StoredMarks } from './muster-verdict.js'
import { asList, asNumber, asText } from './reply.js'
import type { Commands, Reply } from './shard.js'

/** Marks of its own that a node remembers: how far back it finds the point up to which two histories are one. */
const MARKS_MAX = 1_024

/** How long what was reported, and the verdict, are kept. */
const REPORTS_MS = 600_000

/** The keys of the marks of one shard; all in one slot. */
export interface MarkKeys {
  readonly marks: string
  readonly members: string
  readonly tags: string
  readonly muster: string
}

/** The intervals of marks. */
export interface MarkIntervals {
  /** Milliseconds between two marks of one node (1,000). */
  readonly markMs: number
  /** Milliseconds without a mark after which a node is gone (4,000). */
  readonly lapseMs: number
}

interface OwnMark {
  readonly number: number
  readonly tag: string
  /** Told before this tick: stored before this mark. */
  readonly tick: number
}

/** What a server holds, seen from what this node remembers. */
export interface Look {
  /** The server under which the newest marks were made; undefined where there are none. */
  readonly server: string | undefined
  /** Whether that server held nothing when it was mustered for: all that it holds now has begun since. */
  readonly beganEmpty: boolean
  readonly stored: Omit<StoredMarks, 'isItsOwn'>
  readonly generation: string
  /** The tick of the newest mark that both know; 0: none. What was told since may be missing. */
  readonly tick: number
  /** Whether everything that this node was told before its newest mark is stored. */
  readonly isWhole: boolean
  readonly knows: Report['knows']
}

/**
 * The marks of one shard. A server that took over, or was started again, holds the beginning of what the one before had held, up to some moment; a mark that
 * it holds says that this moment came after everything that was told before the mark was made.
 */
export class ShardMarks {
  readonly #keys: MarkKeys
  readonly #who: string
  readonly #intervals: MarkIntervals
  #own: OwnMark[] = []
  #number = 0
  #joinedAt = 0
  #gone = 0
  #members: readonly string[] = []

  constructor(keys: MarkKeys, who: string, intervals: MarkIntervals) {
    this.#keys = keys
    this.#who = who
    this.#intervals = intervals
  }

  /** Whether this node has ever made one. */
  get isMember(): boolean {
    return this.#own.length > 0
  }

  /** Compares what a server holds with what this node remembers. `forgotten`: the newest tick of which not everything is remembered. */
  async look(line: Commands, forgotten: number): Promise<Look> {
    const [meta, members, keys] = await Promise.all([
      line.send(['HMGET', this.#keys.marks, 'n', 'g', 's', 'z']),
      line.send(['HKEYS', this.#keys.members]),
      line.send(['DBSIZE']),
    ])
    const [number, generation, server, empty] = asList(meta)
    const stored = {
      number: typeof number === 'string' ? asNumber(number) : undefined,
      members: asList(members).map(asText),
      // But for the muster itself.
      isEmpty: asNumber(keys) <= 1,
    }
    const common = await this.#common(line, stored.number ?? 0)
    const tick = common?.tick ?? 0
    return {
      server: typeof server === 'string' ? server : undefined,
      beganEmpty: typeof empty === 'string' && empty === server,
      stored,
      generation: typeof generation === 'string' ? generation : '',
      tick,
      isWhole: common !== undefined && common === this.#own.at(-1),
      knows: this.#knows(common?.number ?? 0, tick, forgotten),
    }
  }

  /** Leaves a mark; `tick` begins with it. Answers the generation in force, and whether a muster waits. */
  async mark(
    line: Commands,
    mark: { tag: string; tick: number; server: string; generation: string; isLast?: boolean },
  ): Promise<{ generation: string; isAwaited: boolean }> {
    const { marks, members, tags, muster } = this.#keys
    const { markMs, lapseMs } = this.#intervals
    const known = String(this.#number)
    const reply = await line.run(
      MARK,
      [marks, members, tags, muster],
      [
        this.#who,
        mark.tag,
        known,
        mark.server,
        mark.generation,
        String(markMs),
        String(lapseMs),
        mark.isLast ? '1' : '0',
      ],
    )
    const [number, gone, generation, awaited, ...here] = asList(reply)
    this.#note(asNumber(number), asNumber(gone), here, mark)
    return { generation: asText(generation), isAwaited: awaited === 1 }
  }

  /** Shows the others that this node is coming, before it can report. */
  async come(line: Commands, server: string): Promise<void> {
    await line.run(COMING, [this.#keys.muster], [server, this.#who, String(REPORTS_MS)])
  }

  /** Reports what this node knows; answers what all have reported, how often each has shown that it is coming, and the verdict if there is one. */
  async report(
    line: Commands,
    server: string,
    knows: Report['knows'],
    generation: string,
  ): Promise<{ reports: readonly Report[]; coming: ReadonlyMap<string, number>; verdict: string | undefined }> {
    const report: Report = {
      who: this.#who,
      members: this.#members,
      knows,
      number: this.#number,
      gone: this.#gone,
      generation,
    }
    const args = [server, this.#who, JSON.stringify(report), String(REPORTS_MS)]
    const [verdict = '', coming = [], ...reports] = asList(await line.run(REPORT, [this.#keys.muster], args))
    return {
      reports: reports.map((each) => parseReport(asText(each))),
      coming: signsOf(asList(coming).map(asText)),
      verdict: verdict === '' ? undefined : asText(verdict),
    }
  }

  /** Ends a muster, if nobody has. Answers the generation in force; undefined when another muster has begun. */
  async conclude(
    line: Commands,
    server: string,
    reports: readonly Report[],
    how: { isNew: boolean; isEmpty: boolean },
  ): Promise<string | undefined> {
    const { marks, members, muster } = this.#keys
    const newest = (of: (report: Report) => number): string => String(Math.max(0, ...reports.map(of)))
    const generation = reports
      .map((report) => report.generation)
      .reduce((one, other) => (one > other ? one : other), '')
    const verdict = await line.run(
      CONCLUDE,
      [marks, members, muster],
      [
        server,
        generation,
        how.isNew ? '1' : '0',
        newest(({ number }) => number),
        newest(({ gone }) => gone),
        how.isEmpty ? '1' : '0',
        ...reports.map(({ who }) => who),
      ],
    )
    return asText(verdict) === '' ? undefined : asText(verdict)
  }

  /** The newest mark of this node that the server holds. */
  async #common(line: Commands, newest: number): Promise<OwnMark | undefined> {
    const candidates = this.#own.filter(({ number }) => number <= newest)
    if (candidates.length === 0) return undefined
    const tags = asList(await line.send(['HMGET', this.#keys.tags, ...candidates.map(({ number }) => String(number))]))
    return candidates.findLast(({ tag }, at) => tags[at] === tag)
  }

  /** What those who are gone were told was stored before the mark at which they were found gone. */
  #knows(common: number, tick: number, forgotten: number): Report['knows'] {
    if (!this.isMember) return 'nothing'
    return this.#gone <= common && (forgotten === 0 || forgotten < tick) ? 'everything' : 'part'
  }

  #note(number: number, gone: number, here: readonly Reply[], mark: { tag: string; tick: number }): void {
    if (!this.isMember) this.#joinedAt = number
    this.#number = number
    // Of those who were gone before this node came, the others tell that were there.
    if (gone > this.#joinedAt) this.#gone = gone
    this.#members = here.map(asText)
    this.#own.push({ number, tag: mark.tag, tick: mark.tick })
    if (this.#own.length > MARKS_MAX) this.#own = this.#own.slice(-MARKS_MAX / 2)
  }
}

function signsOf(flat: readonly string[]): Map<string, number> {
  const signs = new Map<string, number>()
  for (let at = 0; at < flat.length; at += 2) signs.set(flat[at] ?? '', Number(flat[at + 1]))
  return signs
}

/** @throws EngineUnavailableError when it is none: it stays away until who wrote it has written another, or it is forgotten. */
function parseReport(text: string): Report {
  try {
    return JSON.parse(text) as Report
  } catch (error) {
    throw new EngineUnavailableError('the server holds a report that is none', { cause: error })
  }
}
