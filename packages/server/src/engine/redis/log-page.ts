import type { LogPage, ReadRange, StreamMessage } from '../engine.js'
import { decodeBody } from './announcement.js'
import { asNumber, asText } from './reply.js'
import type { Reply } from './shard.js'

interface Entry {
  readonly offset: number
  /** Undefined: it is none of ours. */
  readonly message: StreamMessage | undefined
}

/** What a page can be made of. */
interface Part {
  readonly messages: readonly StreamMessage[]
  /** The offset below which nothing is told, where that is higher than the log says. */
  readonly first: number
}

/**
 * The page that the script READ answers, and the offsets of entries that somebody else has written. Those are as good as trimmed: reading forward the page ends
 * before them, and the next one begins behind them; reading backward it begins behind them. So a reader never meets a hole that it is not told of.
 */
export function decodePage(
  reply: readonly Reply[],
  keep: ReadRange['keep'],
): { readonly page: LogPage; readonly foreign: readonly number[] } {
  const [epoch, offset, id, first, aged, version, value, ...rest] = reply
  const entries = entriesOf(rest, keep)
  const foreign = entries.filter(({ message }) => message === undefined).map((entry) => entry.offset)
  const part = keep === 'oldest' ? forward(entries) : backward(entries)
  const lowest = Math.max(asNumber(first), part.first)
  const page = {
    epoch: asText(epoch),
    top: { offset: asNumber(offset), id: asText(id) },
    first: lowest,
    expired: aged === 1 && lowest === asNumber(first),
    messages: part.messages,
    state: version === '' ? undefined : { value: asText(value), version: asNumber(version) },
  }
  return { page, foreign }
}

function entriesOf(rest: readonly Reply[], keep: ReadRange['keep']): readonly Entry[] {
  const entries: Entry[] = []
  for (let at = 0; at < rest.length; at += 2) {
    const offset = asNumber(rest[at])
    entries.push({ offset, message: decodeBody(asText(rest[at + 1]), offset) })
  }
  return keep === 'newest' ? entries.reverse() : entries
}

/** Up to what is not ours; where that comes first, behind it. */
function forward(entries: readonly Entry[]): Part {
  const begin = indexOr(entries, ({ message }) => message !== undefined)
  const end = indexOr(entries, ({ message }, at) => at > begin && message === undefined)
  return partOf(entries, begin, end)
}

/** Behind the last that is not ours. */
function backward(entries: readonly Entry[]): Part {
  return partOf(entries, entries.findLastIndex(({ message }) => message === undefined) + 1, entries.length)
}

function partOf(entries: readonly Entry[], begin: number, end: number): Part {
  const messages = entries.slice(begin, end).flatMap(({ message }) => message ?? [])
  return { messages, first: begin === 0 ? 0 : (entries[begin - 1]?.offset ?? 0) + 1 }
}

function indexOr(entries: readonly Entry[], is: (entry: Entry, at: number) => boolean): number {
  const at = entries.findIndex(is)
  return at < 0 ? entries.length : at
}
