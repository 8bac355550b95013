import type { Clock } from '../clock.js'
import type {
  ChannelQuestion,
  OperationQuestion,
  StreamAnswer,
  StreamKey,
  StreamPost,
  StreamPostOutcome,
  StreamVisit,
} from '../event-stream.js'
import type { Random } from '../random.js'
import { type ChannelLine, ChannelReader } from './event-stream-channel.js'
import { OperationReader } from './event-stream-operation.js'
import { EventStreamSocket, type StreamVoice } from './event-stream-socket.js'
import { eventText } from './event-stream-text.js'
import { WholeStream, WholeVoice } from './event-stream-whole.js'
import type { Acceptor, Upgrade } from './transport.js'

/** Speaks for a reader, from `begin` on. */
interface Reader extends StreamVoice {
  begin(): void
}

/** What event streams are made with. */
export interface EventStreamsParts {
  readonly acceptor: Acceptor
  readonly clock: Clock
  readonly random: Pick<Random, 'fraction'>
  /** Bytes of one message of a client. */
  readonly messageBytesMax: number
}

/**
 * Event streams of this node. Each is a connection like any other, with another way to write: whatever holds for a WebSocket (admission, limits, revocation, drain)
 * holds for it by itself.
 */
export class EventStreams {
  readonly #parts: EventStreamsParts
  readonly #whole = new Map<string, WholeStream>()

  constructor(parts: EventStreamsParts) {
    this.#parts = parts
  }

  /** The events of one channel. Resolves when it is known whether there are any. */
  channel(visit: StreamVisit, question: ChannelQuestion): Promise<StreamAnswer> {
    return this.#read(visit, (line) => new ChannelReader(question, line))
  }

  /** The events of one operation, as its snapshots. Resolves when it is known whether there are any. */
  operation(visit: StreamVisit, question: OperationQuestion): Promise<StreamAnswer> {
    return this.#read(visit, (line) => new OperationReader(question, line))
  }

  #read(visit: StreamVisit, readerOf: (line: ChannelLine) => Reader): Promise<StreamAnswer> {
    const noRoom = this.#parts.acceptor.refuses(visit.address)
    if (noRoom !== undefined) return Promise.resolve({ noRoom })
    const { clock, random, acceptor } = this.#parts
    return new Promise((resolve) => {
      const reader = readerOf({
        command(command) {
          const text = JSON.stringify(command)
          // Not in the middle of what the connection says.
          clock.defer(() => handler.text(text, Buffer.byteLength(text)))
        },
        depart: (afterMs = 0) => void (afterMs > 0 ? clock.after(afterMs, () => socket.depart()) : socket.depart()),
        settle(outcome) {
          if (outcome === 'open') return resolve({ body: socket.body.stream })
          clock.defer(() => socket.lose())
          resolve({ outcome })
        },
        fraction: () => random.fraction(),
      })
      const socket = this.#socket(visit, reader)
      const handler = socket.begin(acceptor, upgradeOf(visit, true))
      reader.begin()
    })
  }

  /** The whole protocol under this key; what the client says comes by `take`. */
  open(visit: StreamVisit, key: StreamKey): StreamAnswer {
    const { acceptor, clock, messageBytesMax } = this.#parts
    const noRoom = acceptor.refuses(visit.address)
    if (noRoom !== undefined) return { noRoom }
    const socket = this.#socket(visit, new WholeVoice(() => this.#whole.delete(key.id)))
    socket.say(eventText({ event: 'open', data: JSON.stringify(key) }))
    const handler = socket.begin(acceptor, upgradeOf(visit, false))
    if (!socket.isOver) this.#whole.set(key.id, new WholeStream(socket, handler, clock, messageBytesMax))
    return { body: socket.body.stream }
  }

  /** What the client of a stream of this node posted. */
  take(id: string, post: StreamPost): Promise<StreamPostOutcome> {
    return this.#whole.get(id)?.take(post) ?? Promise.resolve('gone')
  }

  #socket({ signal, abandon }: StreamVisit, voice: StreamVoice): EventStreamSocket {
    return new EventStreamSocket({ clock: this.#parts.clock, voice, signal, abandon })
  }
}

function upgradeOf({ address, origin, authorization, query }: StreamVisit, isReader: boolean): Upgrade {
  return {
    address,
    origin,
    authorization,
    query,
    isReader,
    path: '',
    speaksProtocol: true,
    protocolToken: undefined,
  }
}
