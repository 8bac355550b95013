import { type IncomingMessage, get } from 'node:http'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../clock.js'
import { type ApiClient, apiClient } from '../../testing/api-client.js'
import { TestEventStream } from '../../testing/test-event-stream.js'
import { type TestNode, startNode } from '../../testing/test-node.js'

let node: TestNode
let worker: ApiClient

beforeEach(async () => {
  node = await startNode({
    limits: { connectionsPerUserMax: 2 },
    heartbeat: { intervalMs: 1_000, timeoutMs: 2_000 },
  })
  worker = apiClient(node, node.token('importer', { permissions: ['operations'] }))
})

afterEach(() => node.close())

const begin = (id: string): Promise<unknown> =>
  worker('POST /operations', { body: { id, kind: 'import', owner: 'ada', total: 10 } })

const follow = (id: string, user = 'ada', headers: Record<string, string> = {}): Promise<TestEventStream> =>
  TestEventStream.open(address(id), { authorization: `Bearer ${node.token(user)}`, ...headers })

const address = (id: string): string => `http://${node.host}:${node.port}/api/v1/operations/${id}/events`

const answer = async (id: string, token?: string, headers: Record<string, string> = {}): Promise<[number, unknown]> => {
  const response = await fetch(address(id), {
    headers: { ...(token !== undefined && { authorization: `Bearer ${token}` }), ...headers },
  })
  const text = await response.text()
  const { code, field } = text === '' ? {} : (JSON.parse(text) as { error: { code?: string; field?: string } }).error
  return [response.status, field ?? code]
}

describe('the events of an operation', () => {
  it('begin with how things stand, and end with the operation', async () => {
    await begin('a')
    const stream = await follow('a')
    expect(stream.headers['content-type']).toBe('text/event-stream; charset=utf-8')
    const first = await stream.next('progress')
    expect([first.id, first.data]).toMatchObject(['1', { state: 'running', version: 1 }])
    await worker('PATCH /operations/a', { body: { phase: 'reading', done: 4, total: 10 } })
    const { body } = await worker('POST /operations/a/complete', { body: { result: 'done' } })
    const last = await stream.next('completed')
    expect([last.id, last.data]).toEqual([String(body['version']), body])
    expect(await stream.ended).toBe(true)
    const versions = stream.received.map(({ data }) => data['version'] as number)
    expect(versions).toEqual([...new Set(versions)].sort((one, other) => one - other))
  })

  it('say now and then that they live', async () => {
    await begin('a')
    const stream = await follow('a')
    await until(() => stream.asides.includes(': ping'))
    stream.leave()
  })

  it('say how it ended to who comes late, and nothing to who knows', async () => {
    await begin('a')
    await worker('POST /operations/a/fail', { body: { error: { message: 'no' } } })
    const stream = await follow('a')
    const { id } = await stream.next('failed')
    expect(await stream.ended).toBe(true)
    expect(stream.received).toHaveLength(1)
    expect(await answer('a', node.token('ada'), { 'last-event-id': id ?? '' })).toEqual([204, undefined])
  })

  it('leave out what the reader has', async () => {
    await begin('a')
    await worker('POST /operations/a/cancel')
    const stream = await follow('a', 'ada', { 'last-event-id': '2' })
    await worker('POST /operations/a/cancelled')
    await stream.next('cancelled')
    expect(stream.received.map(({ id }) => id)).toEqual(['3'])
  })

  it('are told to who has those of another of the same id, which is gone', async () => {
    await begin('a')
    const stream = await follow('a', 'ada', { 'last-event-id': '57' })
    expect((await stream.next('progress')).id).toBe('1')
    await worker('POST /operations/a/complete')
    expect((await stream.next('completed')).id).toBe('2')
    expect(await stream.ended).toBe(true)
    const late = await follow('a', 'ada', { 'last-event-id': '57' })
    expect((await late.next('completed')).id).toBe('2')
  })

  it('are not there for others, nor of nothing', async () => {
    await begin('a')
    const foreign = node.token('ada', { tenant: 'other' })
    for (const [id, token] of [
      ['a', node.token('bob')],
      ['a', foreign],
      ['b', node.token('ada')],
      ['b', node.token('importer', { permissions: ['operations'] })],
    ] as const)
      expect(await answer(id, token)).toEqual([404, 'not_found'])
  })

  it('take a credential, also in the address where a WebSocket does', async () => {
    await begin('a')
    expect(await answer('a')).toEqual([401, 'unauthenticated'])
    const stream = await TestEventStream.open(`${address('a')}?token=${node.token('ada')}`)
    await stream.next('progress')
    stream.leave()
  })

  it('are for whoever may report on every operation, too', async () => {
    await begin('a')
    const authorization = `Bearer ${node.token('importer', { permissions: ['operations'] })}`
    const stream = await TestEventStream.open(address('a'), { authorization })
    await stream.next('progress')
    stream.leave()
  })

  it.each(['x', '0', '-1', '1.5', 'epoch.1'])('have no id %s', async (id) => {
    await begin('a')
    expect(await answer('a', node.token('ada'), { 'last-event-id': id })).toEqual([400, 'Last-Event-ID'])
  })

  it('count as connections of the user', async () => {
    await begin('a')
    const streams = [await follow('a'), await follow('a')]
    expect(await answer('a', node.token('ada'))).toEqual([422, 'limit_exceeded'])
    for (const stream of streams) stream.leave()
  })

  it('end with the token', async () => {
    await begin('a')
    const stream = await follow('a')
    await stream.next('progress')
    await node.holdfast.tenant('acme').user('ada').revoke()
    expect((await stream.next('goodbye')).data).toMatchObject({ message: 'Token revoked' })
    expect(await stream.ended).toBe(true)
  })

  it('end with the node', async () => {
    await begin('a')
    const stream = await follow('a')
    await stream.next('progress')
    const closed = node.holdfast.close()
    await stream.ended
    await closed
  })

  it('wait for no reader but their own, and not for ever for that', async () => {
    const metadata = { note: 'n'.repeat(50_000) }
    await worker('POST /operations', { body: { id: 'a', kind: 'import', owner: 'ada', metadata } })
    const headers = { authorization: `Bearer ${node.token('ada')}` }
    const slow = await new Promise<IncomingMessage>((resolve) => get(address('a'), { headers, agent: false }, resolve))
    const quick = await follow('a')
    for (let at = 0; at < 100; at += 1) await worker('PATCH /operations/a', { body: { phase: `phase ${at}` } })
    const { body } = await worker('POST /operations/a/complete')
    expect((await quick.next('completed')).data).toEqual(body)
    expect(await quick.ended).toBe(true)
    await until(() => node.holdfast.stats().connections === 0)
    slow.destroy()
  })
})

async function until(isSo: () => boolean): Promise<void> {
  const end = systemClock.now() + 15_000
  while (!isSo()) {
    if (systemClock.now() > end) throw new Error(`still not so: ${String(isSo)}`)
    await new Promise<void>((resolve) => systemClock.after(20, resolve))
  }
}
