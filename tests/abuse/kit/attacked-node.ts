import {
  type Clock,
  type Holdfast,
  type HoldfastOptions,
  type Listening,
  MemoryEngine,
  createHoldfast,
  signToken,
} from '@holdfast/server'
import { LogLines } from './log-lines.js'

/** The secret of the nodes that are attacked. */
export const SECRET = 'Vw7Qz1mB4xT9cL2kR6nY8sJ3hF5dG0pAeUoIqXvZtWs'

/** Rules with something of everything. What is kept is kept briefly, so that tables return to where they were. */
export const CHANNELS: NonNullable<HoldfastOptions['channels']> = {
  'neighbour:*': { history: { size: 1_000, ttl: '1h' } },
  'room:*': { publish: 'member', signal: 'member', presence: true, history: { size: 1_000, ttl: 50 } },
  'live:*': { publish: 'member', presence: 'member' },
  'staff:*': { subscribe: 'role:staff', publish: 'role:staff', history: { size: 10, ttl: 50 } },
  'user:{user}': { inbox: true, history: { size: 100, ttl: 50 } },
}

/** How a token of a test differs from the usual one. */
export type Claims = Partial<Parameters<typeof signToken>[0]>

/** A node in this process, on a free port. Its sessions and members outlive a connection by a moment only. */
export class AttackedNode implements Listening {
  readonly holdfast: Holdfast
  readonly engine: MemoryEngine
  readonly log: LogLines
  readonly host: string
  readonly port: number
  readonly url: string

  private constructor(holdfast: Holdfast, engine: MemoryEngine, log: LogLines, { host, port, url }: Listening) {
    this.holdfast = holdfast
    this.engine = engine
    this.log = log
    this.host = host
    this.port = port
    this.url = url
  }

  /** Starts a node with `SECRET` and `CHANNELS`, but for `options`. */
  static async start(options: Partial<HoldfastOptions> = {}): Promise<AttackedNode> {
    const log = new LogLines()
    const engine = new MemoryEngine({ clock: impatientClock })
    const holdfast = createHoldfast({
      auth: { secret: SECRET },
      channels: CHANNELS,
      session: { windowMs: 200 },
      presence: { coalesceMs: 10, graceMs: 50 },
      engine,
      log,
      ...options,
    })
    return new AttackedNode(holdfast, engine, log, await holdfast.listen())
  }

  /** A token for `user` of the tenant `acme`. */
  token(user: string, claims: Claims = {}): string {
    return tokenOf(user, claims)
  }

  close(): Promise<void> {
    return this.holdfast.close()
  }
}

/** A token for `user` of the tenant `acme` that every node with `SECRET` takes. */
export function tokenOf(user: string, claims: Claims = {}): string {
  return signToken({ secret: SECRET, tenant: 'acme', user, ...claims })
}

/** The clock of the system, but what is done now and then is done often: tables are swept while a test looks. */
const impatientClock: Clock = {
  now: () => Date.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms)
    return () => clearTimeout(timer)
  },
  every(ms, run) {
    const timer = setInterval(run, Math.min(ms, 20))
    return () => clearInterval(timer)
  },
  defer: (run) => void setImmediate(run),
}
