import { beforeEach, describe, expect, it } from 'vitest'
import type { Identity } from '../../access/identity.js'
import { MemoryEngine } from '../../engine/memory/memory-engine.js'
import { systemRandom } from '../../random.js'
import { SimulatedClock, settle } from '../../simulated-clock.js'
import { faultyEngine } from '../../testing/faulty-engine.js'
import { ControlDesk } from '../nodes/control.js'
import { Peers } from '../nodes/peers.js'
import { Retries } from '../retries.js'
import { SecretGuard } from './secret-guard.js'
import type { SessionHolder } from './session-keeper.js'
import { type SessionContent, type SessionKey, sessionRecordKey } from './session-record.js'
import { type ClaimedSession, Sessions } from './session.js'

const WINDOW_MS = 300_000
const SECRET = 'kT9v3Qz1rW8uYb5nXe2sLd7fHj4gMp6aCw0iOqRtEyU'
const CONTENT: SessionContent = {
  channels: [{ channel: 'room:1', presence: true, info: '{"a":1}' }],
  state: '{"tab":2}',
}
const ADA: Identity = { tenant: 'acme', user: 'ada', roles: [], grants: {}, expiresAt: undefined, tokenId: undefined }

const FROM_ADA = { id: 'c1', address: '192.0.2.1', identity: ADA }

let clock: SimulatedClock
let engine: MemoryEngine
let node: Node

/** The sessions of a node, and what its connections were told. */
interface Node {
  readonly sessions: Sessions
  readonly control: ControlDesk
  readonly retries: Retries
  /** What is refused on this node, by method. */
  refuses: (method: string) => boolean
  /** Whether records are written without an answer. */
  losesAnswers: boolean
  readonly writes: () => number
  /** A connection that lives here. */
  live(key: SessionKey, content?: SessionContent, version?: number): Live
  resume(key: SessionKey): Promise<Live | undefined>
}

interface Live extends SessionHolder {
  change(content: SessionContent): void
  end(): void
  readonly isOver: boolean
}

async function nodeOf(name: string, options: { keepsLive?: boolean; windowMs?: number } = {}): Promise<Node> {
  let writes = 0
  const faulty = faultyEngine(engine, async (method) => {
    if (method === 'records.put') writes += 1
    if (made.refuses(method)) throw new Error('away')
  })
  const retries = new Retries(clock, () => undefined)
  const log = { debug() {}, info() {}, warn() {}, error() {} }
  const parts = { node: name, clock, random: systemRandom, retries }
  const control = new ControlDesk({ ...parts, control: faulty.control, secret: SECRET, log })
  const peers = new Peers(faulty.nodes, clock)
  const { keepsLive = true, windowMs = WINDOW_MS } = options
  const { records } = faulty
  const put: typeof records.put = async (...written) => {
    const version = await records.put(...written)
    if (made.losesAnswers) throw new Error('the answer was lost')
    return version
  }
  const sessions = new Sessions({
    ...parts,
    engine: { ...faulty, records: { ...records, put } },
    windowMs,
    keepsLive,
    control,
    peers,
    secrets: new SecretGuard(clock, { record: (event, fields) => void told.push({ event, ...fields }) }),
    onError: () => undefined,
  })
  const made: Node = {
    sessions,
    control,
    retries,
    refuses: () => false,
    losesAnswers: false,
    writes: () => writes,
    live: (key, content = CONTENT, version = 0) => liveOf(sessions, key, content, version),
    async resume(key) {
      const claimed = await sessions.claim(FROM_ADA, key)
      return claimed && liveOf(sessions, claimed.key, claimed.content, claimed.version)
    },
  }
  await control.start()
  await engine.nodes.renew(name, '', 3_600_000)
  sessions.start()
  return made
}

function liveOf(
  sessions: Sessions,
  session: SessionKey,
  first: SessionContent,
  version: number,
  isResumable: boolean = true,
): Live {
  let content = first
  let isOver = false
  const over = (kept: SessionContent | undefined): void => {
    if (isOver) return
    isOver = true
    sessions.end(holder, kept)
  }
  const holder: Live = {
    identity: ADA,
    session,
    address: FROM_ADA.address,
    isResumable,
    recordVersion: version,
    content: () => content,
    handOver() {
      over(undefined)
      return content
    },
    change(next) {
      content = next
      sessions.changed(holder)
    },
    end: () => over(content),
    get isOver() {
      return isOver
    },
  }
  sessions.hold(holder)
  return holder
}

/** What was written down. */
let told: object[]

beforeEach(async () => {
  told = []
  clock = new SimulatedClock()
  engine = new MemoryEngine({ clock })
  node = await nodeOf('here')
})

/** The next write of a record waits until what is returned is called. */
function holdUpWrite(): () => void {
  const { put } = engine.records
  let open = (): void => undefined
  const gate = new Promise<void>((resolve) => (open = resolve))
  engine.records.put = (...parts) => {
    engine.records.put = put
    return gate.then(() => put.apply(engine.records, parts))
  }
  return () => open()
}

/** A session that lived here and has ended. */
async function ended(content: SessionContent = CONTENT): Promise<SessionKey> {
  const live = node.live(node.sessions.issue(), content)
  await settle()
  live.end()
  await settle()
  return live.session
}

const contentOf = (claimed: ClaimedSession | undefined): SessionContent | undefined => claimed?.content

describe('a session that has ended', () => {
  it('is handed to whoever has its secret, under a new one', async () => {
    const key = await ended()
    const claimed = await node.sessions.claim(FROM_ADA, key)
    expect(contentOf(claimed)).toEqual(CONTENT)
    expect(claimed?.key.id).toBe(key.id)
    expect(claimed?.key.secret).not.toBe(key.secret)
    expect(claimed?.bringsPlace).toBe(false)
    expect(await node.sessions.claim(FROM_ADA, key)).toBeUndefined()
  })

  it.each([true, false])(
    'is handed out as it was, without a place, while it is being saved (kept meanwhile: %s)',
    async (keepsLive) => {
      const slow = await nodeOf('slow', { keepsLive })
      const live = slow.live(slow.sessions.issue())
      await settle()
      const open = holdUpWrite()
      live.change({ ...CONTENT, state: '"newest"' })
      live.end()
      const claimed = slow.sessions.claim(FROM_ADA, live.session)
      await settle()
      open()
      expect(await claimed).toMatchObject({ bringsPlace: false, content: { state: '"newest"' } })
      expect(slow.sessions.unsaved).toBe(0)
    },
  )

  it('is handed to another node as it was, while it is being saved', async () => {
    const [slow, elsewhere] = [await nodeOf('slow'), await nodeOf('elsewhere')]
    const live = slow.live(slow.sessions.issue())
    await settle()
    const open = holdUpWrite()
    live.change({ ...CONTENT, state: '"newest"' })
    live.end()
    await settle()
    const claimed = await elsewhere.sessions.claim(FROM_ADA, live.session)
    open()
    await settle()
    expect(contentOf(claimed)?.state).toBe('"newest"')
    expect(slow.sessions.unsaved).toBe(0)
  })

  it('is handed out once, of several who ask together on two nodes', async () => {
    const elsewhere = await nodeOf('elsewhere')
    for (let round = 0; round < 50; round += 1) {
      const key = await ended()
      const claims = await Promise.all(
        [node, elsewhere, elsewhere, node].map(({ sessions }) => sessions.claim(FROM_ADA, key)),
      )
      expect(claims.filter((claimed) => claimed !== undefined)).toHaveLength(1)
    }
  })

  it('cannot be guessed: after five wrong secrets from one address none is looked at from there for a minute', async () => {
    const key = await ended()
    const wrong = { ...key, secret: 'wrong' }
    for (let tries = 0; tries < 5; tries += 1) await node.sessions.claim(FROM_ADA, wrong)
    expect(await node.sessions.claim(FROM_ADA, key)).toBeUndefined()
    const { id: connection, address, identity } = FROM_ADA
    const line = { event: 'auth.failed', tenant: identity.tenant, user: identity.user, connection, address }
    expect(told).toEqual(Array.from({ length: 5 }, () => ({ ...line, rule: 'session', reason: 'wrong secret' })))
    expect(JSON.stringify(told)).not.toContain(key.id)
    expect(contentOf(await node.sessions.claim({ ...FROM_ADA, address: '192.0.2.2' }, key))).toEqual(CONTENT)
  })

  it('can be had again a minute after the guesses', async () => {
    const key = await ended()
    for (let tries = 0; tries < 9; tries += 1) await node.sessions.claim(FROM_ADA, { ...key, secret: 'wrong' })
    await clock.pass(60_000, 1_000)
    expect(contentOf(await node.sessions.claim(FROM_ADA, key))).toEqual(CONTENT)
  })

  it("is not believed when what is stored cannot be read, and stands in nobody's way", async () => {
    const live = node.live(node.sessions.issue())
    await settle()
    for (const value of ['', 'null', '{"digest":7}', '{"digest":"","node":"","channels":[{"channel":"__proto__"}]}']) {
      await engine.records.put(sessionRecordKey(ADA, live.session.id), value, { ttlMs: 60_000 })
      expect(await (await nodeOf('elsewhere')).sessions.claim(FROM_ADA, live.session)).toBeUndefined()
    }
    live.change(CONTENT)
    await clock.pass(5_000, 500)
    expect(live.isOver).toBe(false)
    expect(contentOf(await (await nodeOf('elsewhere')).sessions.claim(FROM_ADA, live.session))).toEqual(CONTENT)
  })

  it.each(['', 'wrong', 'x'.repeat(128)])('is not handed out for the secret %j, and stays', async (secret) => {
    const key = await ended()
    expect(await node.sessions.claim(FROM_ADA, { ...key, secret })).toBeUndefined()
    expect(contentOf(await node.sessions.claim(FROM_ADA, key))).toEqual(CONTENT)
  })

  it.each<[string, Partial<Identity>]>([
    ['another user', { user: 'bob' }],
    ['another tenant', { tenant: 'other' }],
    ['names that only together say the same', { tenant: 'acmea', user: 'da' }],
  ])('is not handed to %s', async (_, who) => {
    expect(await node.sessions.claim({ ...FROM_ADA, identity: { ...ADA, ...who } }, await ended())).toBeUndefined()
  })

  it('lasts as long as its window', async () => {
    const [one, other] = [await ended(), await ended()]
    clock.advance(WINDOW_MS - 1)
    expect(contentOf(await node.sessions.claim(FROM_ADA, one))).toEqual(CONTENT)
    clock.advance(1)
    expect(await node.sessions.claim(FROM_ADA, other)).toBeUndefined()
  })

  it('can be had again under its old key when it was given back', async () => {
    const key = await ended()
    const claimed = await node.sessions.claim(FROM_ADA, key)
    expect(claimed).toBeDefined()
    await node.sessions.giveBack(ADA, key, claimed as ClaimedSession)
    expect(contentOf(await node.sessions.claim(FROM_ADA, key))).toEqual(CONTENT)
  })

  it('does not show its secret to who reads the store', async () => {
    const { id, secret } = await ended()
    const record = await engine.records.get(`session:4:acme3:ada${id}`)
    expect(record?.value).toContain('room:1')
    expect(record?.value).not.toContain(secret)
  })

  it('is saved when the engine is back, if it was away', async () => {
    const live = node.live(node.sessions.issue())
    await settle()
    node.refuses = () => true
    live.change({ ...CONTENT, state: '"newer"' })
    live.end()
    await clock.pass(3_000, 500)
    node.refuses = () => false
    await clock.pass(30_000, 500)
    expect(contentOf(await node.sessions.claim(FROM_ADA, live.session))?.state).toBe('"newer"')
  })

  it.each(['here', 'elsewhere'] as const)(
    'is handed out as it was, without a place, when the engine refused to save it (asked for %s)',
    async (where) => {
      const elsewhere = await nodeOf('elsewhere')
      const live = node.live(node.sessions.issue())
      await settle()
      node.refuses = (method) => method === 'records.put'
      live.change({ ...CONTENT, state: '"newest"' })
      live.end()
      await settle()
      node.refuses = () => false
      const { sessions } = where === 'here' ? node : elsewhere
      const claimed = await sessions.claim(FROM_ADA, live.session)
      expect(claimed).toMatchObject({ bringsPlace: false, content: { state: '"newest"' } })
      await clock.pass(2_000, 500)
      expect(node.sessions.unsaved).toBe(0)
      expect(await node.sessions.claim(FROM_ADA, live.session)).toBeUndefined()
    },
  )

  it('is not held longer than its window where the engine never takes it', async () => {
    const live = node.live(node.sessions.issue())
    await settle()
    node.refuses = (method) => method === 'records.put'
    live.end()
    await clock.pass(WINDOW_MS - 1_000, 1_000)
    expect(node.sessions.unsaved).toBe(1)
    await clock.pass(2_000, 500)
    expect(node.sessions.unsaved).toBe(0)
  })

  it('is one of a bounded number that are held for an engine that takes none', async () => {
    node.refuses = (method) => method === 'records.put'
    for (let count = 0; count < 10_100; count += 1) node.live(node.sessions.issue()).end()
    await settle()
    expect(node.sessions.unsaved).toBe(10_000)
  })

  it('is saved when the node ends, also by an engine that refuses at first', async () => {
    const live = node.live(node.sessions.issue())
    await settle()
    let refusals = 2
    node.refuses = (method) => method === 'records.put' && (refusals -= 1) >= 0
    live.change({ ...CONTENT, state: '"newest"' })
    node.retries.close()
    live.end()
    const stopped = node.sessions.stop()
    await clock.pass(2_000, 250)
    await stopped
    const elsewhere = await nodeOf('elsewhere')
    expect(contentOf(await elsewhere.sessions.claim(FROM_ADA, live.session))?.state).toBe('"newest"')
  })

  it('is not kept where nobody can come for it, and is nobody else’s either', async () => {
    const live = liveOf(node.sessions, node.sessions.issue(), CONTENT, 0, false)
    live.change({ ...CONTENT, state: '"newer"' })
    await clock.pass(400_000, 10_000)
    expect(await node.sessions.confirm(live)).toBe(true)
    expect(await node.sessions.claim(FROM_ADA, live.session)).toBeUndefined()
    live.end()
    await settle()
    expect([node.writes(), node.sessions.unsaved]).toEqual([0, 0])
  })

  it('is not kept where the window is 0', async () => {
    const brief = await nodeOf('brief', { windowMs: 0 })
    const live = brief.live(brief.sessions.issue())
    expect(contentOf(await brief.sessions.claim(FROM_ADA, live.session))).toEqual(CONTENT)
    const other = brief.live(brief.sessions.issue())
    other.end()
    await settle()
    expect(await brief.sessions.claim(FROM_ADA, other.session)).toBeUndefined()
    expect(brief.writes()).toBe(0)
  })
})

describe.each([true, false])('a session that lives here (kept in the engine meanwhile: %s)', (keepsLive) => {
  let live: Live

  beforeEach(async () => {
    node = await nodeOf('alone', { keepsLive })
    live = node.live(node.sessions.issue())
    await settle()
  })

  it('is handed over by its connection, once', async () => {
    const claims = await Promise.all([0, 1, 2].map(() => node.sessions.claim(FROM_ADA, live.session)))
    expect(claims.map(contentOf).filter(Boolean)).toEqual([CONTENT])
    expect(live.isOver).toBe(true)
  })

  it('is handed over as it is now', async () => {
    const newer = { channels: [], state: '"newer"' }
    live.change(newer)
    expect(contentOf(await node.sessions.claim(FROM_ADA, live.session))).toEqual(newer)
  })

  it('stays with its connection when the secret is wrong', async () => {
    expect(await node.sessions.claim(FROM_ADA, { ...live.session, secret: 'wrong' })).toBeUndefined()
    expect(live.isOver).toBe(false)
  })

  it('is not dropped by a connection that has lost it', async () => {
    const next = await node.resume(live.session)
    live.end()
    await settle()
    expect(next && contentOf(await node.sessions.claim(FROM_ADA, next.session))).toEqual(CONTENT)
  })

  it('can be had here while the engine is away', async () => {
    node.refuses = () => true
    const next = await node.resume(live.session)
    expect(next?.content()).toEqual(CONTENT)
    expect(live.isOver).toBe(true)
    node.refuses = () => false
    await clock.pass(2_000, 100)
    expect(next?.isOver).toBe(false)
    expect(next && contentOf(await node.sessions.claim(FROM_ADA, next.session))).toEqual(CONTENT)
  })
})

describe('a session that lives on another node', () => {
  let elsewhere: Node
  let live: Live

  beforeEach(async () => {
    elsewhere = await nodeOf('elsewhere')
    live = node.live(node.sessions.issue())
    await settle()
  })

  it('is handed over by it, as it is now', async () => {
    const newer = { channels: [], state: '"newer"' }
    live.change(newer)
    const claimed = await elsewhere.sessions.claim(FROM_ADA, live.session)
    expect(claimed).toMatchObject({ content: newer, bringsPlace: true, network: FROM_ADA.address })
    expect(live.isOver).toBe(true)
  })

  it('is had from its record when its node is dead, with the place that is still counted there', async () => {
    await engine.nodes.leave('here')
    node.refuses = () => true
    expect(await elsewhere.sessions.claim(FROM_ADA, live.session)).toMatchObject({
      content: CONTENT,
      bringsPlace: true,
    })
  })

  it('is had from its record when its node says nothing, after a second, and the next at once', async () => {
    const second = node.live(node.sessions.issue())
    await settle()
    node.refuses = (method) => method === 'control.send'
    const claimed = elsewhere.sessions.claim(FROM_ADA, live.session)
    await clock.pass(900)
    expect(await Promise.race([claimed, Promise.resolve('waits')])).toBe('waits')
    await clock.pass(100)
    expect(await claimed).toMatchObject({ content: CONTENT, bringsPlace: true })
    expect(contentOf(await elsewhere.sessions.claim(FROM_ADA, second.session))).toEqual(CONTENT)
  })

  it('goes back and forth, and its connections end one by one', async () => {
    let key = live.session
    let last = live
    for (let move = 0; move < 20; move += 1) {
      const next = await (move % 2 === 0 ? elsewhere : node).resume(key)
      expect(last.isOver).toBe(true)
      expect(next).toBeDefined()
      last = next as Live
      key = last.session
      last.change({ ...CONTENT, state: String(move) })
      await clock.pass(move * 100)
    }
    await clock.pass(5_000, 500)
    expect(last.isOver).toBe(false)
    expect(contentOf(await node.sessions.claim(FROM_ADA, key))?.state).toBe('19')
  })

  it('that has come back is not given to a question that was on its way since before', async () => {
    const away = await elsewhere.resume(live.session)
    const back = await node.resume((away as Live).session)
    expect(back?.recordVersion).toBe(3)
    const asked = { record: `session:4:acme3:ada${live.session.id}`, version: 2 }
    expect(await elsewhere.control.ask('here', 'session.claim', asked)).toBeNull()
    expect(back?.isOver).toBe(false)
    expect(await elsewhere.control.ask('here', 'session.claim', { ...asked, version: 4 })).toEqual(CONTENT)
    expect(back?.isOver).toBe(true)
  })

  it('is lost to its connection there, which writes over nothing and ends', async () => {
    await engine.nodes.leave('here')
    node.refuses = () => true
    const next = await elsewhere.resume(live.session)
    expect(live.isOver).toBe(false)
    live.change({ ...CONTENT, state: '"stale"' })
    node.refuses = () => false
    await clock.pass(3_000, 100)
    expect(live.isOver).toBe(true)
    expect(next?.isOver).toBe(false)
    expect(next && contentOf(await node.sessions.claim(FROM_ADA, next.session))).toEqual(CONTENT)
  })

  it('is not taken back by the last words of its connection there', async () => {
    await engine.nodes.leave('here')
    node.refuses = () => true
    const next = await elsewhere.resume(live.session)
    live.end()
    node.refuses = () => false
    await clock.pass(60_000, 500)
    expect(next && contentOf(await elsewhere.sessions.claim(FROM_ADA, next.session))).toEqual(CONTENT)
  })
})

describe('the record of a session that lives', () => {
  it('is written at the welcome, and once for the changes of a second', async () => {
    const live = node.live(node.sessions.issue())
    expect(node.writes()).toBe(1)
    for (let change = 0; change < 100; change += 1) {
      live.change({ ...CONTENT, state: String(change) })
      await clock.pass(9)
    }
    expect(node.writes()).toBeLessThanOrEqual(2)
    await clock.pass(1_000)
    expect(node.writes()).toBe(2)
  })

  it('outlives its node by the whole window, whenever the node dies', async () => {
    const keys = Array.from({ length: 300 }, () => node.live(node.sessions.issue()).session)
    for (const at of [1, 70_000, 149_000, 151_000, 299_000]) {
      await clock.pass(at, 1_000)
      const alive = new Set(keys.map(({ id }) => `session:4:acme3:ada${id}`))
      const now = clock.now()
      for (const [key, { until }] of engine.records.entries()) {
        expect(until - now).toBeGreaterThanOrEqual(WINDOW_MS - 3_000)
        alive.delete(key)
      }
      expect(alive.size).toBe(0)
    }
  })

  it('is refreshed in turns: in half a window each is written once', async () => {
    for (let count = 0; count < 300; count += 1) node.live(node.sessions.issue())
    await settle()
    const before = node.writes()
    await clock.pass(1_000)
    expect(node.writes() - before).toBe(2)
    await clock.pass(WINDOW_MS / 2 - 1_000, 1_000)
    expect(node.writes() - before).toBe(300)
  })

  it('is refreshed no more often where few live', async () => {
    node.live(node.sessions.issue())
    node.live(node.sessions.issue())
    await clock.pass(WINDOW_MS * 5, 1_000)
    expect(node.writes()).toBeLessThanOrEqual(2 + 2 * 10)
    expect(node.writes()).toBeGreaterThanOrEqual(2 + 2 * 9)
  })

  it('is one of 256 that are written at a time', async () => {
    const waiting: (() => void)[] = []
    const put = engine.records.put.bind(engine.records)
    engine.records.put = async (...written) => {
      await new Promise<void>((resolve) => waiting.push(resolve))
      return put(...written)
    }
    for (let count = 0; count < 600; count += 1) node.live(node.sessions.issue())
    await settle()
    expect(waiting).toHaveLength(256)
    // What is being written is not saved yet.
    expect(node.sessions.unsaved).toBe(600)
    for (const goOn of waiting.splice(0, 100)) goOn()
    await settle()
    expect(waiting).toHaveLength(256)
    expect(node.sessions.unsaved).toBe(500)
    while (waiting.length > 0) {
      for (const goOn of waiting.splice(0)) goOn()
      await settle()
    }
    expect(node.sessions.unsaved).toBe(0)
    expect(engine.records.size).toBe(600)
  })

  it('is written when the engine is back, if it was away', async () => {
    node.refuses = () => true
    const lives = Array.from({ length: 600 }, () => node.live(node.sessions.issue()))
    await clock.pass(5_000, 500)
    expect(node.sessions.unsaved).toBe(600)
    node.refuses = () => false
    await clock.pass(2_000, 500)
    expect(node.sessions.unsaved).toBe(0)
    const elsewhere = await nodeOf('elsewhere')
    for (const { session } of lives.slice(0, 10))
      expect(contentOf(await elsewhere.sessions.claim(FROM_ADA, session))).toEqual(CONTENT)
  })

  it('is known again after answers were lost, also where the session moved on this node meanwhile', async () => {
    node.losesAnswers = true
    const live = node.live(node.sessions.issue())
    await settle()
    const next = await node.resume(live.session)
    expect(next?.content()).toEqual(CONTENT)
    await clock.pass(3_000, 500)
    node.losesAnswers = false
    await clock.pass(3_000, 500)
    expect(next?.isOver).toBe(false)
    expect(node.sessions.unsaved).toBe(0)
    const elsewhere = await nodeOf('elsewhere')
    expect(next && contentOf(await elsewhere.sessions.claim(FROM_ADA, next.session))).toEqual(CONTENT)
  })

  it('is written anew when the engine has lost it', async () => {
    const live = node.live(node.sessions.issue())
    await settle()
    await engine.records.take(`session:4:acme3:ada${live.session.id}`)
    expect(await node.sessions.confirm(live)).toBe(true)
    expect(engine.records.size).toBe(1)
    expect(live.isOver).toBe(false)
  })

  it('is not written at all where the engine is of this process alone', async () => {
    const alone = await nodeOf('alone', { keepsLive: false })
    const live = alone.live(alone.sessions.issue())
    live.change(CONTENT)
    await clock.pass(WINDOW_MS, 1_000)
    expect(alone.writes()).toBe(0)
  })
})

describe('a key', () => {
  it('is new for a new session, and keeps the id of one that is resumed', () => {
    const key = node.sessions.issue()
    const next = node.sessions.issue(key.id)
    expect(next.id).toBe(key.id)
    expect(next.secret).not.toBe(key.secret)
    expect(node.sessions.issue().id).not.toBe(key.id)
  })

  it('has 128 bits in each part', () => {
    const key = node.sessions.issue()
    expect(Buffer.from(key.id, 'base64url')).toHaveLength(16)
    expect(Buffer.from(key.secret, 'base64url')).toHaveLength(16)
  })
})
