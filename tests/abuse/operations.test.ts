import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../kit/deadline.js'
import { WireClient } from '../kit/wire-client.js'
import { Battlefield } from './kit/attack.js'
import { AttackedNode } from './kit/attacked-node.js'

let node: AttackedNode
let field: Battlefield<AttackedNode>

beforeAll(async () => {
  node = await AttackedNode.start({
    operations: { completedTtl: 100, failedTtl: 100, runningTtl: '1h', conflateMs: 0 },
  })
  field = await Battlefield.on(node)
})

afterAll(async () => {
  // The feed of the owner, what keeps its ends from being told twice, and that the tenant had operations stay for their time.
  await field.leave({ except: ['streams', 'idempotencyKeys', 'indexes'] })
  await node.close()
})

const operations = (): ReturnType<AttackedNode['holdfast']['tenant']>['operations'] =>
  node.holdfast.tenant('acme').operations

const codeOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'taken',
    (error: unknown) => (error as { code?: unknown }).code ?? (error as Error).name,
  )

/** Watches an operation and notes the events that come. */
async function watching(id: string): Promise<WireClient> {
  const watcher = await WireClient.welcomed(node.url, { token: node.token('owner') })
  await watcher.get('subscribed', { type: 'subscribe', channel: `operation:${id}` })
  return watcher
}

describe('an operation', () => {
  it('T-122 ends once, whoever ends it how often: what comes after the first end is refused and told to nobody', async () => {
    await field.attack(async () => {
      const operation = await operations().start({ kind: 'import', owner: 'owner', total: 100 })
      const watcher = await watching(operation.id)
      operation.advance(10)
      const ends = await Promise.all([
        codeOf(operation.complete('first')),
        codeOf(operation.complete('second')),
        codeOf(operation.fail(new Error('third'))),
        codeOf(operation.cancelled()),
      ])
      expect(ends.filter((end) => end === 'taken')).toHaveLength(1)
      expect(new Set(ends.filter((end) => end !== 'taken'))).toEqual(new Set(['already_ended']))
      operation.advance(50)
      operation.report({ done: 1, total: 2 })
      await watcher.get('error', { type: 'cancel', operation: operation.id })
      const ended = (): unknown[] =>
        watcher
          .of('message')
          .map(({ event }) => event)
          .filter((event) => ['completed', 'failed', 'cancelled', 'expired'].includes(event))
      await eventually('the end is told', () => ended().length > 0)
      await field.neighbour.isWell()
      expect(ended()).toEqual(['completed'])
      expect(watcher.of('message').at(-1)?.event).toBe('completed')
      await watcher.close()
    })
  })

  it('T-122 refuses progress that cannot be, and shows none that falls or passes the whole', async () => {
    await field.attack(async () => {
      const operation = await operations().start({ kind: 'import', owner: 'owner', total: 100 })
      const watcher = await watching(operation.id)
      const wrong = [{ done: -1 }, { done: Number.NaN }, { done: Infinity }, { total: -1 }, { done: '50' as never }]
      for (const report of wrong)
        expect(() => operation.report(report), JSON.stringify(report)).toThrow('must be a number from 0')
      for (const done of [50, 40, 101, 1_000_000, 0]) operation.report({ done })
      await operation.complete()
      const percents = (): number[] =>
        watcher.of('message').flatMap(({ data }) => {
          const { percent } = (data as { progress?: { percent?: number } }).progress ?? {}
          return percent === undefined ? [] : [percent]
        })
      await eventually('the end is told', () => watcher.of('message').at(-1)?.event === 'completed')
      expect(percents()).toEqual(percents().toSorted((one, other) => one - other))
      expect(percents().every((percent) => percent >= 0 && percent <= 100)).toBe(true)
      await watcher.close()
    })
  })

  it('T-124 takes no result of 10 MB, and may end with a smaller one', async () => {
    await field.attack(async () => {
      const operation = await operations().start({ kind: 'export', owner: 'owner' })
      expect(await codeOf(operation.complete('x'.repeat(10_000_000)))).not.toBe('taken')
      await operation.complete('small')
      expect((await operations().get(operation.id))?.result).toBe('small')
    })
  })

  it('T-124 tells of an error its message and its code, and nothing of where it was thrown or why', async () => {
    await field.attack(async () => {
      const operation = await operations().start({ kind: 'export', owner: 'owner' })
      const watcher = await watching(operation.id)
      const cause = new Error('password=CANARY-CAUSE')
      const error = Object.assign(new Error('The file cannot be read', { cause }), {
        code: 'ENOENT',
        path: '/secret/CANARY-PATH',
        config: { token: 'CANARY-TOKEN' },
      })
      error.stack = 'at CANARY-STACK'
      await operation.fail(error)
      await eventually('the end is told', () => watcher.of('message').at(-1)?.event === 'failed')
      const told = watcher.frames.join('\n')
      expect(told).toContain('The file cannot be read')
      expect(told).not.toContain('CANARY')
      const stranger = await WireClient.welcomed(node.url, { token: node.token('stranger') })
      const refusal = await stranger.ask({ type: 'subscribe', channel: `operation:${operation.id}` })
      const unknown = await stranger.ask({ type: 'subscribe', channel: 'operation:never-was' })
      expect(JSON.stringify({ ...refusal, id: 0 })).toBe(JSON.stringify({ ...unknown, id: 0 }))
      await Promise.all([watcher.close(), stranger.close()])
    })
    expect(node.log.text).not.toContain('CANARY')
  })

  it('T-124 that fails with words of megabytes is told in few', async () => {
    await field.attack(async () => {
      const operation = await operations().start({ kind: 'export', owner: 'owner' })
      await operation.fail(new Error('x'.repeat(5_000_000)))
      const snapshot = await operations().get(operation.id)
      expect(snapshot?.state).toBe('failed')
      expect(JSON.stringify(snapshot).length).toBeLessThan(65_536)
    })
  })
})
