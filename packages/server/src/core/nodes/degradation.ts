import type { Engine } from '../../engine/engine.js'
import type { Logger } from '../../telemetry/log.js'
import type { FrameEncoder } from '../../transport/transport.js'
import type { Frame } from '../connection/frame.js'
import type { Hub } from '../channels/hub.js'
import type { Publisher } from '../channels/publisher.js'

/** A connection as the degraded mode sees it. */
export interface Told {
  readonly isOpen: boolean
  readonly outbox: { push(frame: Frame): void }
}

/** What the degraded mode works with. */
export interface DegradationParts {
  readonly engine: Engine
  readonly hub: Hub
  readonly publisher: Publisher
  readonly frames: FrameEncoder
  readonly log: Logger
  readonly onError: (error: unknown) => void
}

const DEGRADED = 'Messages cannot be stored or shared between nodes at the moment; connections stay'
const RECOVERED = 'Messages are stored and shared again'

/**
 * What a node does while its engine is away: every client is told, and told again when the engine is back, everything was compared with the logs and what
 * waited was published.
 */
export class Degradation {
  readonly #parts: DegradationParts
  readonly #connections: () => Iterable<Told>
  #degraded = false
  #turn = 0
  #unwatch: (() => void) | undefined

  constructor(parts: DegradationParts, connections: () => Iterable<Told>) {
    this.#parts = parts
    this.#connections = connections
  }

  /** Looks after the engine from now on. */
  start(): void {
    const { engine } = this.#parts
    this.#unwatch ??= engine.watch((problem) => this.#changed(problem))
    this.#changed(engine.problem())
  }

  stop(): void {
    this.#unwatch?.()
    this.#unwatch = undefined
    this.#turn += 1
  }

  /** Tells a connection that was just welcomed. */
  greet(connection: Told): void {
    if (this.#degraded) connection.outbox.push(this.#notice('degraded', DEGRADED))
  }

  #changed(problem: string | undefined): void {
    this.#turn += 1
    if (problem === undefined) {
      if (this.#degraded) void this.#recover(this.#turn)
      return
    }
    if (this.#degraded) return
    this.#degraded = true
    this.#parts.log.error({ event: 'engine.degraded', reason: problem }, 'the engine is away')
    this.#tell(this.#notice('degraded', DEGRADED))
  }

  /** Gaps first, then what waited, then the notice: whoever hears that all is well has missed nothing. */
  async #recover(turn: number): Promise<void> {
    const { hub, publisher, log, onError } = this.#parts
    await hub.compared()
    if (turn !== this.#turn) return
    await publisher.flush().catch(onError)
    if (turn !== this.#turn) return
    this.#degraded = false
    log.info({ event: 'engine.recovered' }, 'the engine is back')
    this.#tell(this.#notice('recovered', RECOVERED))
  }

  #tell(frame: Frame): void {
    for (const connection of this.#connections()) if (connection.isOpen) connection.outbox.push(frame)
  }

  #notice(code: 'degraded' | 'recovered', message: string): Frame {
    const bytes = this.#parts.frames.text(JSON.stringify({ type: 'notice', code, message }))
    return { bytes, importance: 'kept' }
  }
}
