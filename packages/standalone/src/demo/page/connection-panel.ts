import type { Holdfast, StatusChange } from '@holdfast/client'
import { systemClock } from '../../clock.js'
import { formatDuration } from '../../quantity.js'
import { DEMO_TENANT } from '../tenant.js'
import type { CuttableNetwork } from './cuttable-network.js'
import { element, isResting, setResting, setText } from './elements.js'
import { note } from './journal.js'

const CUT_MS = 6000
const COUNT_DOWN_MS = 250

/** What the panel tells the rest of the page, and asks of it. */
export interface ConnectionEvents {
  /** The connection is gone. */
  lost(): void
  /** It is there again. */
  found(): void
}

const STATUS_TEXTS: Record<StatusChange['state'], string> = {
  idle: 'Not connected',
  connecting: 'Connecting',
  open: 'Connected',
  waiting: 'Reconnecting',
  closed: 'Disconnected',
  failed: 'Refused',
}

/** Shows the state of the connection, cuts the network, and writes down what happened. */
export class ConnectionPanel {
  readonly #client: Holdfast
  readonly #network: CuttableNetwork
  readonly #user: string
  readonly #events: ConnectionEvents
  #lostAt: number | undefined
  #cutUntil = 0

  constructor(client: Holdfast, network: CuttableNetwork, user: string, events: ConnectionEvents) {
    this.#client = client
    this.#network = network
    this.#user = user
    this.#events = events
    client.on('state', (change) => this.#changed(change))
    element('cut').addEventListener('click', () => void this.#cut())
    systemClock.every(COUNT_DOWN_MS, () => this.#show())
    this.#show()
  }

  /** The server has something to say while we are away; without an answer the cut is made all the same. */
  async #cut(): Promise<void> {
    const button = element('cut')
    if (isResting(button)) return
    setResting(button, true)
    await this.#client.call('demo.speak', {}, { timeoutMs: 1000 }).catch(() => {})
    this.#cutUntil = systemClock.now() + CUT_MS
    note('Network cut: no byte passes for 6 s', 'bad')
    this.#network.cut(CUT_MS)
    systemClock.after(CUT_MS, () => {
      setResting(button, false)
      note('Network back', 'warn')
    })
  }

  #changed({ state, reason }: StatusChange): void {
    if (state === 'open') this.#opened()
    if (state === 'waiting' && this.#lostAt === undefined) this.#broke(reason)
    if (state === 'failed' || state === 'closed') note(`${STATUS_TEXTS[state]}: ${reason}`, 'bad')
    this.#show()
  }

  #broke(reason: string): void {
    this.#lostAt = systemClock.now()
    this.#events.lost()
    if (!this.#network.isCut) note(`Connection lost: ${reason || 'no reason given'}`, 'bad')
  }

  #opened(): void {
    const away = this.#lostAt === undefined ? undefined : systemClock.now() - this.#lostAt
    this.#lostAt = undefined
    this.#events.found()
    if (away === undefined) note(`Connected as ${this.#user}`, 'good')
    else note(`Connected again after ${formatDuration(away / 1000)}`, 'good')
  }

  #show(): void {
    const { status, statistics } = this.#client
    const isCut = this.#network.isCut
    element('strip').dataset['status'] = isCut ? 'cut' : status
    setText(element('status'), isCut ? 'Network cut' : STATUS_TEXTS[status])
    const seconds = Math.max(1, Math.ceil((this.#cutUntil - systemClock.now()) / 1000))
    const latency =
      statistics.latency === undefined ? '' : `, answers in ${Math.max(1, Math.round(statistics.latency.last))} ms`
    setText(
      element('status-detail'),
      isCut ? `back in ${seconds} s` : `${this.#user} of tenant ${DEMO_TENANT}${latency}`,
    )
  }
}
