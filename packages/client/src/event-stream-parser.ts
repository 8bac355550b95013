/** One event of an event stream. */
export interface StreamEvent {
  readonly event: string
  readonly data: string
}

/** Characters of one event; more is no event of ours. */
const EVENT_CHARACTERS_MAX = 67_108_864

/**
 * Takes the text of an event stream apart, in whatever pieces it comes (HTML standard, 9.2.6, as far as our server uses it: lines end in a line feed).
 * Comments and fields that are not known are left out.
 */
export class EventStreamParser {
  #pieces: string[] = []
  #characters = 0

  /**
   * The events that end with this piece.
   *
   * @throws RangeError when an event has no end.
   */
  push(piece: string): StreamEvent[] {
    this.#pieces.push(piece)
    this.#characters += piece.length
    if (this.#characters > EVENT_CHARACTERS_MAX) throw new RangeError('an event of the stream is too long')
    if (!piece.includes('\n')) return []
    const blocks = this.#pieces.join('').split('\n\n')
    const rest = blocks.pop() ?? ''
    this.#pieces = [rest]
    this.#characters = rest.length
    return blocks.map(eventIn).filter((event) => event !== undefined)
  }
}

function eventIn(block: string): StreamEvent | undefined {
  const fields = new Map<string, string>()
  for (const line of block.split('\n')) {
    const at = line.indexOf(':')
    if (at > 0) fields.set(line.slice(0, at), line.slice(at + (line[at + 1] === ' ' ? 2 : 1)))
  }
  const data = fields.get('data')
  return data === undefined ? undefined : { event: fields.get('event') ?? 'message', data }
}
