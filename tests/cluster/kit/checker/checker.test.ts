import { describe as group, expect, it } from 'vitest'
import type { Fact, Stamped, Who } from '../facts.js'
import { canaryOf } from '../payload.js'
import { check, describe } from './checker.js'

const WHERE = { tenant: 'acme', channel: 'room:one' } as const

const reader = (client: string): Who => ({ ...WHERE, client })
const invoke = (n: number): Fact => ({
  t: 'invoke',
  ...WHERE,
  publish: `p#${n}`,
  key: `k${n}`,
  user: 'u',
  hash: `h${n}`,
})
const ok = (n: number, epoch: string, offset: number): Fact => ({
  t: 'ok',
  publish: `p#${n}`,
  epoch,
  offset,
  id: `${epoch}-${offset}`,
  duplicate: false,
})
const subscribed = (client: string, epoch: string, offset: number): Fact => ({
  t: 'subscribed',
  ...reader(client),
  epoch,
  offset,
  messages: 0,
  recovered: 'new',
})
const deliver = (client: string, n: number, epoch: string, offset: number): Fact => ({
  t: 'deliver',
  ...reader(client),
  epoch,
  offset,
  id: `${epoch}-${offset}`,
  publish: `p#${n}`,
  hash: `h${n}`,
  canary: canaryOf('acme'),
})
const rest = (client: string): Fact => ({ t: 'rest', ...reader(client), status: 'subscribed' })
const lost = { from: 4, to: null, reason: 'epoch_changed' } as const

/**
 * Two readers and seven publishes. After the third message Redis is emptied: one reader is told while connected, the other with the
 * verdict when it comes back. Of publish 7 nobody knows whether it happened; it did not. An operation and a member, too.
 */
function sound(): Fact[] {
  return [
    subscribed('live', 'A', 0),
    subscribed('away', 'A', 0),
    ...[1, 2, 3].flatMap((n) => [invoke(n), ok(n, 'A', n), deliver('live', n, 'A', n), deliver('away', n, 'A', n)]),
    { t: 'fault', name: 'Redis is emptied', phase: 'begin' },
    { t: 'gap', ...reader('live'), ...lost },
    { t: 'moved', ...reader('live'), epoch: 'B', offset: 0 },
    ...[4, 5].flatMap((n) => [invoke(n), ok(n, 'B', n - 3), deliver('live', n, 'B', n - 3)]),
    { t: 'subscribed', ...reader('away'), epoch: 'B', offset: 2, messages: 2, recovered: 'gap', gap: lost },
    { t: 'gap', ...reader('away'), ...lost },
    ...[4, 5].map((n) => deliver('away', n, 'B', n - 3)),
    ...[6].flatMap((n) => [invoke(n), ok(n, 'B', 3), deliver('live', n, 'B', 3), deliver('away', n, 'B', 3)]),
    invoke(7),
    { t: 'info', publish: 'p#7', code: 'timeout' },
    { t: 'operation-begun', tenant: 'acme', id: 'job' },
    {
      t: 'operation',
      watcher: 'live',
      tenant: 'acme',
      id: 'job',
      attempt: 1,
      version: 1,
      state: 'running',
      percent: 10,
    },
    {
      t: 'operation',
      watcher: 'live',
      tenant: 'acme',
      id: 'job',
      attempt: 1,
      version: 3,
      state: 'running',
      percent: 60,
    },
    {
      t: 'operation',
      watcher: 'live',
      tenant: 'acme',
      id: 'job',
      attempt: 1,
      version: 4,
      state: 'completed',
      percent: 100,
    },
    {
      t: 'operation-read',
      node: 'n2',
      tenant: 'acme',
      id: 'job',
      attempt: 1,
      version: 4,
      state: 'completed',
      percent: 100,
    },
    { t: 'presence', ...reader('live'), change: 'joined', user: 'u' },
    { t: 'presence', ...reader('live'), change: 'left', user: 'u' },
    { t: 'presence', ...reader('live'), change: 'joined', user: 'u' },
    { t: 'presence-live', ...WHERE, members: [['u', 1]] },
    { t: 'presence-read', ...WHERE, node: 'n2', members: [['u', 1]] },
    rest('live'),
    rest('away'),
    {
      t: 'log',
      ...WHERE,
      node: 'n1',
      epoch: 'B',
      entries: [4, 5, 6].map((n) => [n - 3, `B-${n - 3}`, `p#${n}`, `h${n}`] as const),
    },
    { t: 'exit', process: 'n1', status: 'SIGKILL', expected: true },
  ]
}

function judge(facts: readonly Fact[]): ReturnType<typeof check> {
  return check(() => facts.map((fact, at): Stamped => ({ ...fact, at, by: 'test' })))
}

/** The first fact of a kind that has these members. */
function find<T extends Fact['t']>(facts: readonly Fact[], t: T, members: object = {}): Extract<Fact, { t: T }> {
  const found = facts.find(
    (fact) => fact.t === t && Object.entries(members).every(([name, value]) => fact[name as keyof Fact] === value),
  )
  if (found === undefined) throw new Error(`no ${t} with ${JSON.stringify(members)}`)
  return found as Extract<Fact, { t: T }>
}

type Change = (facts: Fact[]) => Fact[]

const without =
  (t: Fact['t'], members?: object): Change =>
  (facts) => {
    const gone = find(facts, t, members)
    return facts.filter((fact) => fact !== gone)
  }

const changed =
  (t: Fact['t'], members: object, change: object): Change =>
  (facts) => {
    const one = find(facts, t, members)
    return facts.map((fact) => (fact === one ? ({ ...fact, ...change } as Fact) : fact))
  }

/** Puts a fact right after another. */
const added =
  (t: Fact['t'], members: object, ...more: Fact[]): Change =>
  (facts) => {
    const one = find(facts, t, members)
    return facts.flatMap((fact) => (fact === one ? [fact, ...more] : [fact]))
  }

const swapped =
  (t: Fact['t'], one: object, other: object): Change =>
  (facts) => {
    const [first, second] = [find(facts, t, one), find(facts, t, other)]
    return facts.map((fact) => (fact === first ? second : fact === second ? first : fact))
  }

const both =
  (...changes: Change[]): Change =>
  (facts) =>
    changes.reduce((before, change) => change(before), facts)

const live = (epoch: string, offset: number): object => ({ client: 'live', epoch, offset })

/** Each puts one fault into the sound history. */
const FAULTS: readonly (readonly [what: string, invariant: string, change: Change])[] = [
  ['a message that is skipped', 'I1', without('deliver', live('A', 2))],
  ['a last message that never comes', 'I1', without('deliver', live('B', 3))],
  ['a first message that is skipped', 'I1', without('deliver', live('A', 1))],
  ['an epoch that changes without a gap', 'I1', both(without('gap', { client: 'live' }), without('moved'))],
  ['a first message of a new epoch that is skipped', 'I1', without('deliver', live('B', 1))],
  [
    'a verdict that claims to be complete over the end of an epoch',
    'I1',
    changed('subscribed', { recovered: 'gap' }, { recovered: 'full', gap: undefined }),
  ],
  ['a verdict whose gap the application is not told', 'I1', without('gap', { client: 'away' })],
  [
    'a gap that is told after the message behind it',
    'I1',
    both(
      without('gap', { client: 'away' }),
      added('deliver', { client: 'away', epoch: 'B', offset: 1 }, { t: 'gap', ...reader('away'), ...lost }),
    ),
  ],
  ['a gap that begins too late', 'I1', changed('gap', { client: 'live' }, { from: 6 })],
  [
    'a reader that rests in an epoch that has ended',
    'I1',
    (facts) =>
      facts.filter(
        (fact) =>
          !('client' in fact) || fact.client !== 'away' || ('epoch' in fact && fact.epoch === 'A') || fact.t === 'rest',
      ),
  ],
  ['messages before the subscription began', 'I1', without('subscribed', { client: 'live' })],
  ['a message that is told twice', 'I2', added('deliver', live('A', 2), deliver('live', 2, 'A', 2))],
  ['a message that is told again after a reconnect', 'I2', added('deliver', live('B', 3), deliver('live', 5, 'B', 2))],
  ['two messages that change places', 'I3', swapped('deliver', live('A', 1), live('A', 2))],
  [
    'an old message under a new name',
    'I3 I4 I6',
    added('deliver', live('A', 3), { ...deliver('live', 2, 'A', 2), id: 'other' } as Fact),
  ],
  [
    'two payloads at one place, to two readers',
    'I4',
    changed('deliver', { client: 'away', epoch: 'A', offset: 2 }, { hash: 'other' }),
  ],
  ['another message at an acknowledged place', 'I4', changed('deliver', live('B', 3), { publish: 'p#7', hash: 'h7' })],
  ['two acknowledgements of one place', 'I4', changed('info', {}, { t: 'ok', epoch: 'B', offset: 3, id: 'B-3b' })],
  [
    'a log with a hole',
    'I4',
    (facts) =>
      changed(
        'log',
        {},
        { entries: find(facts, 'log').entries.map((entry, at) => (at === 0 ? [0, 'B-0', 'p#7', 'h7'] : entry)) },
      )(without('ok', { epoch: 'B', offset: 1 })(facts)),
  ],
  ['an acknowledgement of what nobody published', 'I4', added('info', {}, ok(99, 'B', 4))],
  [
    'a log that lost its end under the same epoch',
    'I5',
    (facts) => changed('log', {}, { entries: find(facts, 'log').entries.slice(0, 2) })(facts),
  ],
  ['a log that is empty under the same epoch', 'I5', changed('log', {}, { entries: [] })],
  [
    'a retry that became a second message',
    'I1 I6',
    (facts) =>
      changed(
        'log',
        {},
        { entries: [...find(facts, 'log').entries, [4, 'B-4', 'p#6', 'h6']] },
      )(added('ok', { publish: 'p#6' }, { ...ok(6, 'B', 4) })(facts)),
  ],
  [
    'a second copy that only a reader saw',
    'I6',
    (facts) => added('deliver', live('B', 3), deliver('live', 6, 'B', 4))(facts),
  ],
  [
    'two payloads under one key, both taken',
    'I6',
    (facts) =>
      changed('invoke', { publish: 'p#5' }, { key: 'k1' })(changed('invoke', { publish: 'p#4' }, { key: 'k1' })(facts)),
  ],
  ['a publish that conflicts with itself', 'I6', changed('info', {}, { t: 'fail', code: 'idempotency_conflict' })],
  ['a publish that is begun twice', 'I6', added('invoke', { publish: 'p#7' }, invoke(7))],
  ['an operation that ends twice', 'I7', added('operation', { state: 'completed' }, { ...operation(5, 'failed') })],
  [
    'an operation that goes on after its end',
    'I7',
    added('operation', { state: 'completed' }, { ...operation(5, 'running') }),
  ],
  ['an operation that never ends', 'I7', both(without('operation', { state: 'completed' }), without('operation-read'))],
  ['a watcher that is not told the end', 'I7', without('operation', { state: 'completed' })],
  ['a version that comes twice', 'I7', changed('operation', { version: 3 }, { version: 1 })],
  ['progress that falls', 'I7', changed('operation', { version: 3 }, { percent: 5 })],
  ['two who see different ends', 'I7', changed('operation-read', {}, { state: 'failed' })],
  ['an operation that still runs at the end', 'I7', changed('operation-read', {}, { state: 'running' })],
  [
    'a ghost',
    'I8',
    changed(
      'presence-read',
      {},
      {
        members: [
          ['u', 1],
          ['ghost', 1],
        ],
      },
    ),
  ],
  ['a member that is missing', 'I8', changed('presence-read', {}, { members: [] })],
  ['a connection counted twice', 'I8', changed('presence-read', {}, { members: [['u', 2]] })],
  ['a member that joins twice', 'I8', without('presence', { change: 'left' })],
  ['a message of another tenant', 'I9', changed('deliver', live('A', 2), { canary: canaryOf('other') })],
  ['a reader that does not come back', 'I11', changed('rest', { client: 'away' }, { status: 'subscribing' })],
  ['a reader that is never heard of again', 'I11', without('rest', { client: 'away' })],
  ['a process that ends by itself', 'I12', changed('exit', {}, { expected: false })],
]

function operation(version: number, state: string): Extract<Fact, { t: 'operation' }> {
  return { t: 'operation', watcher: 'live', tenant: 'acme', id: 'job', attempt: 1, version, state, percent: 100 }
}

group('the checker', () => {
  it('passes a sound history, and counts what is in it', () => {
    const verdict = judge(sound())
    expect(verdict.violations).toEqual([])
    expect(verdict.figures).toMatchObject({
      publishes: 7,
      acknowledged: 6,
      unknown: 1,
      readers: 2,
      deliveries: 12,
      lost: 0,
      'signalled gaps': 2,
      'silent gaps': 0,
    })
    expect(describe(verdict)).toContain('no violation')
  })

  it.each(FAULTS)('finds %s (%s)', (_what, invariants, change) => {
    const { violations } = judge(change(sound()))
    expect([...new Set(violations.map(({ invariant }) => invariant))].toSorted().join(' ')).toBe(invariants)
  })

  it('counts what is lost, doubled and out of order', () => {
    const change = both(
      without('deliver', live('A', 2)),
      without('deliver', live('B', 3)),
      added('deliver', { client: 'away', epoch: 'A', offset: 2 }, deliver('away', 2, 'A', 2)),
    )
    expect(judge(change(sound())).figures).toMatchObject({ lost: 2, duplicated: 1, 'silent gaps': 1 })
  })

  it('expects nothing more of a client that was ended on purpose', () => {
    const change = both(
      without('rest', { client: 'away' }),
      without('deliver', { client: 'away', epoch: 'B', offset: 3 }),
      added('invoke', { publish: 'p#6' }, { t: 'gone', client: 'away' }),
    )
    expect(judge(change(sound())).violations).toEqual([])
  })

  it('knows a message again that was told without an offset, before it was stored', () => {
    const early: Change = (facts) =>
      facts.map((fact) => {
        if (fact.t !== 'deliver' || fact.client !== 'live' || fact.epoch !== 'B' || fact.offset !== 2) return fact
        const { offset: _, ...told } = fact
        return told
      })
    expect(judge(early(sound())).violations).toEqual([])
    const twice = both(early, added('deliver', live('B', 3), deliver('live', 5, 'B', 2)))
    expect(judge(twice(sound())).violations).toMatchObject([{ invariant: 'I2' }])
  })

  it('allows a publish of unknown outcome to have happened, once', () => {
    const happened = both(added('info', {}, deliver('live', 7, 'B', 4), deliver('away', 7, 'B', 4)), (facts) =>
      changed('log', {}, { entries: [...find(facts, 'log').entries, [4, 'B-4', 'p#7', 'h7']] })(facts),
    )
    expect(judge(happened(sound())).violations).toEqual([])
  })

  it('allows a message to be stored again in the epoch after the one that was lost', () => {
    const again = changed('info', {}, { t: 'ok', publish: 'p#3', epoch: 'B', offset: 4, id: 'B-4' })
    const heard = added(
      'deliver',
      { client: 'away', epoch: 'B', offset: 3 },
      deliver('away', 3, 'B', 4),
      deliver('live', 3, 'B', 4),
    )
    const stored: Change = (facts) =>
      changed('log', {}, { entries: [...find(facts, 'log').entries, [4, 'B-4', 'p#3', 'h3']] })(facts)
    const verdict = judge(both(again, heard, stored)(sound()))
    expect(verdict.violations).toEqual([])
    expect(verdict.figures['stored again after a loss']).toBe(1)
  })
})
