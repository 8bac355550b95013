import { SUBPROTOCOL } from '@holdfast/protocol'
import type { Holdfast } from '@holdfast/server'
import { WebSocket } from 'ws'
import { within } from '../../kit/deadline.js'
import { machineTime } from '../../kit/machine-time.js'

/** A node in this process. */
export interface Node {
  readonly holdfast: Holdfast
  readonly url: string
  /** Makes a token; needed unless the neighbour is given one. */
  token?(user: string): string
}

/** How a neighbour differs from the usual one. */
export interface NeighbourOptions {
  /** Its credential (default: `node.token(user)`). */
  readonly token?: string
  /** Default `neighbour`. */
  readonly user?: string
  /** Its tenant, in whose name the application publishes (default `acme`). */
  readonly tenant?: string
  /** A channel with history that it may subscribe to (default `neighbour:` and its name). */
  readonly channel?: string
  /** Milliseconds between two messages (25). */
  readonly everyMs?: number
  /** Headers of its upgrade, such as `origin`. */
  readonly headers?: Readonly<Record<string, string>>
  /** Its address on this machine (default: the system's choice). */
  readonly localAddress?: string
}

/** How long a neighbour has to get what was sent to it. */
const WELL_WITHIN_MS = 5_000

interface Told {
  readonly type: string
  readonly data?: { readonly number: number; readonly at: number }
  readonly [member: string]: unknown
}

/**
 * A well-behaved client beside an attacker: subscribed to a channel with history, on which the application publishes numbered messages from
 * now on. Notes everything that does not arrive as it was sent.
 */
export class Neighbour {
  /** Milliseconds from publishing to arrival, for each message that has arrived. */
  readonly lagsMs: number[] = []
  readonly #socket: WebSocket
  readonly #channel: string
  readonly #complaints: string[] = []
  readonly #publish: (number: number) => Promise<unknown>
  readonly #listeners = new Set<() => void>()
  #timer: NodeJS.Timeout | undefined
  #publishing: Promise<unknown> = Promise.resolve()
  #sent = 0
  #arrived = 0
  #isLeaving = false
  #isSubscribed = false

  private constructor(node: Node, options: NeighbourOptions) {
    const { user = 'neighbour', tenant = 'acme', channel = `neighbour:${user}` } = options
    this.#channel = channel
    const door = node.holdfast.tenant(tenant)
    this.#publish = (number) => door.publish(channel, 'tick', { number, at: machineTime() })
    const { headers = {}, localAddress } = options
    const how = { headers, perMessageDeflate: false, ...(localAddress !== undefined && { localAddress }) }
    this.#socket = new WebSocket(node.url, [SUBPROTOCOL], how)
    this.#socket.on('error', (error) => this.#complain(error.message))
    this.#socket.on('close', (code, reason) => {
      if (!this.#isLeaving) this.#complain(`it was closed: ${code} ${reason.toString('utf8')}`)
    })
    const token = options.token ?? node.token?.(user)
    this.#socket.on('open', () => {
      this.#send({ type: 'hello', token })
      this.#send({ type: 'subscribe', channel })
    })
    this.#socket.on('message', (frame: Buffer) => {
      for (const line of frame.toString('utf8').split('\n')) this.#take(JSON.parse(line) as Told)
    })
  }

  /** Joins and is served from now on. Throws when it is not let in. */
  static async beside(node: Node, options: NeighbourOptions = {}): Promise<Neighbour> {
    const neighbour = new Neighbour(node, options)
    await neighbour.#until('it is subscribed', () => neighbour.#isSubscribed, WELL_WITHIN_MS)
    neighbour.#timer = setInterval(() => neighbour.#next(), options.everyMs ?? 25)
    neighbour.#next()
    return neighbour
  }

  /** Messages that have arrived. */
  get arrived(): number {
    return this.#arrived
  }

  /** The longest lag so far, in milliseconds. */
  get worstLagMs(): number {
    return this.lagsMs.reduce((worst, lag) => Math.max(worst, lag), 0)
  }

  /**
   * Resolves when everything sent until now, and one message more, has arrived, once and in order; rejects with what is missing or was wrong,
   * also earlier. With `lagMsMax` also when one took longer than that.
   */
  async isWell({ withinMs = WELL_WITHIN_MS, lagMsMax = Infinity } = {}): Promise<void> {
    this.#next()
    const upTo = this.#sent
    await this.#until(`message ${upTo} arrives`, () => this.#arrived >= upTo, withinMs)
    if (this.worstLagMs > lagMsMax)
      throw new Error(
        `the neighbour waited ${Math.round(this.worstLagMs)} ms for a message, at most ${lagMsMax} are fine`,
      )
  }

  /** Leaves in order; resolves when its socket is gone. */
  async leave(): Promise<void> {
    this.#isLeaving = true
    clearInterval(this.#timer)
    await this.#publishing.catch(() => undefined)
    if (this.#socket.readyState === WebSocket.CLOSED) return
    const gone = new Promise((resolve) => {
      this.#socket.once('close', resolve)
    })
    this.#socket.close(1000)
    await within('the neighbour leaves', gone)
  }

  /** One at a time: what is published at the same time has no order that could be checked. */
  #next(): void {
    const number = (this.#sent += 1)
    this.#publishing = this.#publishing
      .then(() => this.#publish(number))
      .catch((error: unknown) => this.#complain(`message ${number} was refused: ${String(error)}`))
  }

  #send(command: object): void {
    this.#socket.send(JSON.stringify(command))
  }

  #take(told: Told): void {
    const isOurs = told['channel'] === this.#channel
    if (told.type === 'subscribed' && isOurs) this.#isSubscribed = true
    if (told.type === 'message' && isOurs) this.#count(told)
    if (['error', 'gap', 'unsubscribed', 'goodbye'].includes(told.type)) this.#complain(JSON.stringify(told))
    for (const listener of this.#listeners) listener()
  }

  #count({ data }: Told): void {
    if (data?.number !== this.#arrived + 1)
      this.#complain(`message ${data?.number} came where ${this.#arrived + 1} was expected`)
    this.#arrived = data?.number ?? this.#arrived
    this.lagsMs.push(machineTime() - (data?.at ?? 0))
  }

  #complain(complaint: string): void {
    this.#complaints.push(complaint)
    for (const listener of this.#listeners) listener()
  }

  async #until(what: string, condition: () => boolean, ms: number): Promise<void> {
    let listener = (): void => undefined
    const reached = new Promise<void>((resolve, reject) => {
      listener = () => {
        if (this.#complaints.length > 0) reject(new Error(`the neighbour is not well: ${this.#complaints.join('; ')}`))
        else if (condition()) resolve()
      }
      this.#listeners.add(listener)
      listener()
    })
    try {
      await within(`${what} (${this.#arrived} of ${this.#sent} messages had arrived)`, reached, ms)
    } finally {
      this.#listeners.delete(listener)
    }
  }
}
