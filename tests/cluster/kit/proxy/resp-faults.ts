/** What is done to one push: it is left out, sent twice, sent after the next push of its line, or sent so many milliseconds later. */
export type PushFate = 'drop' | 'duplicate' | 'swap' | { readonly delayMs: number }

/** Which push, counted over all lines from the moment the fault is set. */
export interface PushMatch {
  /** The first is 1. Default 1. */
  readonly nth?: number
  /** Text that the channel must contain. Default: any channel. */
  readonly channel?: string
  /** Text that the message must contain. Default: any message. */
  readonly text?: string
}

/** Which reply, counted over all lines. */
export interface ReplyMatch {
  /** Default 1. */
  readonly nth?: number
  /** How many replies in a row. Default 1. */
  readonly times?: number
}

/** A fault that was set. */
export interface SetFault {
  /** Resolves with the channel of the push, or the name of the command, when it has happened. */
  readonly happened: Promise<string>
  /** Takes it back if it has not happened yet. */
  cancel(): void
}

interface Armed {
  readonly matches: (subject: string, text: string) => boolean
  readonly happen: (subject: string) => void
  left: number
  times: number
}

/** The faults that are set for the lines of one proxy, and which message is the one that they are for. */
export class RespFaults {
  readonly #pushes = new Map<Armed, PushFate>()
  readonly #replies = new Map<Armed, string>()

  /** Does something to the n-th `message`, `pmessage` or `smessage`. */
  push(fate: PushFate, { nth = 1, channel = '', text = '' }: PushMatch = {}): SetFault {
    return arm(this.#pushes, fate, nth, 1, (name, message) => name.includes(channel) && message.includes(text))
  }

  /** Replaces the n-th reply to a command by an error such as `LOADING Redis is loading the dataset in memory`. The command is carried out. */
  reply(command: string, error: string, { nth = 1, times = 1 }: ReplyMatch = {}): SetFault {
    return arm(this.#replies, error, nth, times, (subject) => subject === command.toUpperCase())
  }

  /** What is to be done to the push that has come on this channel with this text. */
  fateOf(channel: string, text: string): PushFate | undefined {
    return this.#pushes.size === 0 ? undefined : take(this.#pushes, channel, text)
  }

  /** The error that is to stand for the reply that has come to this command. */
  errorFor(command: string): string | undefined {
    return take(this.#replies, command)
  }
}

function arm<T>(table: Map<Armed, T>, outcome: T, nth: number, times: number, matches: Armed['matches']): SetFault {
  let armed: Armed | undefined
  const happened = new Promise<string>((resolve) => {
    armed = { matches, happen: resolve, left: nth, times }
    table.set(armed, outcome)
  })
  return { happened, cancel: () => void (armed && table.delete(armed)) }
}

function take<T>(table: Map<Armed, T>, subject: string, text: string = ''): T | undefined {
  for (const [armed, outcome] of table) {
    if (!armed.matches(subject, text)) continue
    armed.left -= 1
    if (armed.left > 0) continue
    armed.times -= 1
    if (armed.times <= 0) table.delete(armed)
    armed.happen(subject)
    return outcome
  }
  return undefined
}
