import {
  Holdfast,
  type HoldfastError,
  type HoldfastOptions,
  type StatusChange,
  type Subscribed,
} from '@holdfast/client'
import { signToken } from '@holdfast/server'
import { WebSocket } from 'ws'
import { moment } from './machine-time.js'
import type { Told } from './history-checker.js'
import { SECRET } from './server-process.js'

/** A client of the SDK that listens to one channel and writes down everything that an application would be told. */
export class Recorder {
  readonly client: Holdfast
  readonly told: Told[] = []
  readonly verdicts: Subscribed[] = []
  readonly data: unknown[] = []
  readonly errors: HoldfastError[] = []
  /** Every state with the `moment` of its beginning. */
  readonly states: (StatusChange & { readonly at: number })[] = []

  constructor(url: string, user: string, channel: string, options: HoldfastOptions = {}) {
    const token = (): string => signToken({ secret: SECRET, tenant: 'acme', user, ttlSeconds: 3_600 })
    this.client = new Holdfast(url, { token, WebSocket, ...options })
    this.client.on('state', (change) => this.states.push({ ...change, at: moment() }))
    this.client.on('error', (error) => this.errors.push(error))
    const heard = this.client.channel(channel)
    heard.on('subscribed', (verdict) => this.#begun(verdict))
    heard.on('gap', ({ from, to, reason }) => this.told.push({ kind: 'gap', from, to, reason }))
    heard.on('*', ({ id = '', offset = 0, data }) => {
      this.told.push({ kind: 'message', id, offset })
      this.data.push(data)
    })
  }

  /** Messages and gaps that the application was told, in numbers. */
  get counts(): { readonly messages: number; readonly gaps: number } {
    const gaps = this.told.filter(({ kind }) => kind === 'gap').length
    return { messages: this.data.length, gaps }
  }

  #begun(verdict: Subscribed): void {
    this.verdicts.push(verdict)
    this.told.push({ kind: 'begun', offset: verdict.position.offset - verdict.messages })
  }
}
