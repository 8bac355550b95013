import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually, pause } from '../kit/deadline.js'
import { printFigures } from '../kit/figures.js'
import type { Where } from './kit/facts.js'
import { ReplicaPair } from './kit/replica-pair.js'
import { Run } from './kit/run.js'
import { Timeline } from './kit/timeline.js'

const ROUNDS = 20
const CHANNELS = Array.from({ length: 10 }, (_, index) => `room:${index}`)
const EVERYWHERE: Where[] = CHANNELS.map((channel) => ({ tenant: 'acme', channel }))
const CLIENTS = 40
const PER_SECOND = 150

describe('a failover to a replica that missed the end', () => {
  let pair: ReplicaPair
  let run: Run

  beforeAll(async () => {
    pair = await ReplicaPair.start()
    run = await Run.start({
      name: 'stale-failover',
      nodes: 3,
      redis: pair.front.port,
      channels: EVERYWHERE,
      options: { channels: { 'room:*': { publish: 'member', history: { size: 10_000, ttl: '1h' } } } },
    })
    const clients = Array.from({ length: CLIENTS }, () => ({ tenant: 'acme', channels: CHANNELS }))
    await run.clients.connect({ name: 'client', clients })
  }, 60_000)

  afterAll(async () => {
    await run.stop()
    await pair.stop()
  })

  it(`F-07 tells every subscription, and puts no second payload at any place, ${ROUNDS} times`, async () => {
    const publishers = Array.from({ length: 10 }, (_, index) => ({ client: `client-${index}`, channels: CHANNELS }))
    for (let round = 1; round <= ROUNDS; round += 1) {
      await run.clients.publish({ publishers, perSecond: PER_SECOND })
      await pause(300)
      await pair.synchronised()
      pair.fallBehind()
      await run.fault(`the replica misses the end, ${round}`, () => manyAreAcknowledged(run))
      await run.fault(`the replica takes over, ${round}`, () => pair.failover())
      await pause(500)
      await run.calm()
      await pair.restore()
    }
    const { figures, violations } = await run.settle()
    expect(violations.slice(0, 20)).toEqual([])
    expect(figures).toMatchObject({ lost: 0, duplicated: 0, 'out of order': 0, 'contradictory places': 0 })
    const rounds = judgeRounds(run.history.file)
    printFigures('stale failovers', {
      rounds: rounds.length,
      'acknowledged messages that the replica missed': rounds.reduce((sum, { missed }) => sum + missed, 0),
      'channels that lost their end': rounds.reduce((sum, { channels }) => sum + channels.size, 0),
      'subscriptions told': rounds.reduce((sum, { told }) => sum + told.size, 0),
    })
    expect(rounds).toHaveLength(ROUNDS)
    expect(rounds.flatMap(({ channels, told }) => untold(channels, told))).toEqual([])
    for (const { channels } of rounds) expect(channels.size).toBeGreaterThan(CHANNELS.length / 2)
  }, 300_000)
})

/** Resolves when there were as many publishes as a third of a second has, however slow the machine is, that began after this and were acknowledged. */
async function manyAreAcknowledged({ clients }: Run): Promise<void> {
  const { publishesAcknowledged, publishesInFlight } = await clients.figures()
  const enough = publishesAcknowledged + publishesInFlight + PER_SECOND / 3
  await eventually('many are', async () => (await clients.figures()).publishesAcknowledged >= enough)
}

interface Round {
  /** Messages that were acknowledged while the replica was told nothing. */
  missed: number
  /** Where. */
  readonly channels: Set<string>
  /** Readers that were told of a gap before the next round. */
  readonly told: Set<string>
}

function judgeRounds(file: string): Round[] {
  const rounds: Round[] = []
  /** Publishes that began while the replica was told nothing: one that began before may have reached it, however late its answer came. */
  const channelOf = new Map<string, string>()
  let isMissing = false
  for (const fact of new Timeline(file).facts.toSorted((one, other) => one.at - other.at)) {
    const round = rounds.at(-1)
    if (fact.t === 'fault' && fact.name.startsWith('the replica misses')) {
      isMissing = fact.phase === 'begin'
      if (isMissing) rounds.push({ missed: 0, channels: new Set(), told: new Set() })
    }
    if (fact.t === 'invoke' && isMissing) channelOf.set(fact.publish, fact.channel)
    if (fact.t === 'gap') round?.told.add(`${fact.client} ${fact.channel}`)
    const channel = fact.t === 'ok' && isMissing ? channelOf.get(fact.publish) : undefined
    if (channel === undefined || round === undefined) continue
    round.missed += 1
    round.channels.add(channel)
  }
  return rounds
}

function untold(channels: ReadonlySet<string>, told: ReadonlySet<string>): string[] {
  const readers = [...channels].flatMap((channel) =>
    Array.from({ length: CLIENTS }, (_, index) => `client-${index} ${channel}`),
  )
  return readers.filter((reader) => !told.has(reader))
}
