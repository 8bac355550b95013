import type { ChannelRuleOptions } from '../access/channel-rules.js'
import type { TokenClaims } from '../access/token.js'
import { type Holdfast, type Listening, createHoldfast } from '../holdfast.js'
import type { HoldfastOptions } from '../options.js'
import { signToken } from '../sign-token.js'
import { TestClient, type TestClientOptions } from './test-client.js'

/** The secret of the nodes that tests start. */
export const TEST_SECRET = 'kT9v3Qz1rW8uYb5nXe2sLd7fHj4gMp6aCw0iOqRtEyU'

/** Rules with something of everything. */
export const TEST_CHANNELS: Readonly<Record<string, ChannelRuleOptions>> = {
  'room:*': { publish: 'member', presence: true, history: { size: 1_000, ttl: '1h' } },
  'live:*': { publish: 'member', presence: 'member' },
  'staff:*': { subscribe: 'role:staff', publish: 'role:staff', history: { size: 10, ttl: '1h' } },
  'user:{user}': { inbox: true, history: { size: 100, ttl: '1h' } },
}

/** A node on a free port of this machine. */
export interface TestNode extends Listening {
  readonly holdfast: Holdfast
  /** A token for `user` of the tenant `acme`. */
  token(user: string, claims?: Partial<TokenClaims>): string
  /** A client that was welcomed as `user`. */
  join(user: string, options?: JoinOptions): Promise<TestClient>
  /** A socket that has said nothing yet; `below` is appended to the address. */
  open(below?: string, options?: TestClientOptions): Promise<TestClient>
  close(): Promise<void>
}

/** How a test client introduces itself. */
export interface JoinOptions {
  readonly claims?: Partial<TokenClaims>
  /** Further members of `hello`. */
  readonly hello?: object
}

/** Starts a node with `TEST_SECRET` and `TEST_CHANNELS`, but for `options`. */
export async function startNode(options: Partial<HoldfastOptions> = {}): Promise<TestNode> {
  const holdfast = createHoldfast({
    auth: { secret: TEST_SECRET },
    channels: TEST_CHANNELS,
    presence: { coalesceMs: 10, graceMs: 100 },
    ...options,
  })
  const listening = await holdfast.listen()
  const clients: TestClient[] = []
  const token = (user: string, claims: Partial<TokenClaims> = {}): string =>
    signToken({ secret: TEST_SECRET, tenant: 'acme', user, ...claims })
  const open = async (below = '', how: TestClientOptions = {}): Promise<TestClient> => {
    const client = await TestClient.connect(`${listening.url}${below}`, how)
    clients.push(client)
    return client
  }
  return {
    ...listening,
    holdfast,
    token,
    open,
    async join(user, { claims = {}, hello = {} } = {}) {
      const client = await open()
      await client.hello(token(user, claims), hello)
      return client
    },
    async close() {
      for (const client of clients) client.socket.terminate()
      await holdfast.close()
    },
  }
}
