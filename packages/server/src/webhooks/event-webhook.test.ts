import { type IncomingHttpHeaders, type Server, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../clock.js'
import { LIFECYCLE_TYPES, type LifecycleEvent } from '../lifecycle/event.js'
import { OptionsError } from '../options/options-error.js'
import type { HoldfastOptions } from '../options.js'
import { guardedOutbound } from '../outbound/guarded-outbound.js'
import { type TestNode, startNode } from '../testing/test-node.js'
import { EventWebhook } from './event-webhook.js'
import { verifyWebhook } from './signature.js'

const SECRET = 'bN4xT9cL2kR6nY8sJ3hF5dG0pAeUoIqX'
const OTHER_SECRET = 'hF5dG0pAeUoIqXbN4xT9cL2kR6nY8sJ3'

interface Asked {
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

let server: Server
let url: string
let asked: Asked[]
let status: number
let node: TestNode | undefined

beforeEach(async () => {
  asked = []
  status = 204
  server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      asked.push({ headers: request.headers, body: Buffer.concat(chunks).toString('utf8') })
      response.writeHead(status).end()
    })
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hooks?key=hidden`
})

afterEach(async () => {
  await node?.close()
  node = undefined
  await new Promise((resolve) => {
    server.close(resolve)
    server.closeAllConnections()
  })
})

const event = (id: string, key = 'room:1'): LifecycleEvent => ({
  id,
  type: 'occupied',
  tenant: 'acme',
  key,
  channel: key,
  at: '2026-01-01T00:00:00.000Z',
})

function webhook(allowPrivate = true): EventWebhook {
  const outbound = guardedOutbound({ allowPrivate, clock: systemClock, timeoutMs: 500 })
  return new EventWebhook(
    { url, secret: SECRET, events: ['occupied'], tenant: 'acme' },
    { outbound, clock: systemClock },
  )
}

const told = (): LifecycleEvent[] =>
  asked.flatMap(({ body }) => (JSON.parse(body) as { events: LifecycleEvent[] }).events)

async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 10_000
  while (!condition()) {
    if (performance.now() > deadline) throw new Error('not in time')
    await new Promise((resolve) => {
      systemClock.after(5, () => resolve(undefined))
    })
  }
}

describe('a delivery', () => {
  it('is one signed request with the events of a tenant, and has the same id when it is sent again', async () => {
    const destination = webhook()
    const events = [event('e1'), event('e2')]
    expect(await destination.deliver('acme', events)).toBe('taken')
    expect(await destination.deliver('acme', events)).toBe('taken')
    expect(await destination.deliver('acme', [event('e3')])).toBe('taken')
    const [first, second, third] = asked
    expect(JSON.parse(first?.body ?? '')).toEqual({ tenant: 'acme', events })
    expect(first?.headers['content-type']).toBe('application/json')
    for (const { headers, body } of asked)
      expect(verifyWebhook(SECRET, headers['holdfast-signature'] as string, body)).toBe(true)
    const ids = [first, second, third].map((one) => one?.headers['holdfast-delivery'])
    expect(ids[0]).toMatch(/^[\w-]{22}$/)
    expect(ids[1]).toBe(ids[0])
    expect(ids[2]).not.toBe(ids[0])
  })

  it.each([
    [200, 'taken'],
    [202, 'taken'],
    [204, 'taken'],
    [301, 'unreachable'],
    [400, 'refused'],
    [401, 'refused'],
    [408, 'unreachable'],
    [410, 'gone'],
    [422, 'refused'],
    [425, 'unreachable'],
    [429, 'unreachable'],
    [500, 'unreachable'],
    [503, 'unreachable'],
  ])('that is answered %i is %s', async (answer, delivery) => {
    status = answer
    expect(await webhook().deliver('acme', [event('e1')])).toBe(delivery)
  })

  it('to nobody, and to an address that may not be asked, is to be tried again', async () => {
    expect(await webhook(false).deliver('acme', [event('e1')])).toBe('unreachable')
    server.closeAllConnections()
    await new Promise((resolve) => {
      server.close(resolve)
    })
    expect(await webhook().deliver('acme', [event('e1')])).toBe('unreachable')
    expect(asked).toEqual([])
  })

  it('has what it is for: its events, of its tenant', () => {
    const destination = webhook()
    expect(destination.wants('occupied', 'acme')).toBe(true)
    expect(destination.wants('vacated', 'acme')).toBe(false)
    expect(destination.wants('occupied', 'other')).toBe(false)
  })

  it('goes on where it was when secret or events have changed, and begins anew for another address or tenant', () => {
    const parts = { outbound: guardedOutbound({ allowPrivate: true, clock: systemClock }), clock: systemClock }
    const of = (changes: object): string =>
      new EventWebhook({ url, secret: SECRET, events: ['left'], tenant: 'acme', ...changes }, parts).id
    expect(of({ secret: OTHER_SECRET, events: ['joined'] })).toBe(of({}))
    expect(new Set([of({}), of({ tenant: undefined }), of({ tenant: 'other' }), of({ url: `${url}2` })]).size).toBe(4)
  })
})

describe('a node with webhooks for events', () => {
  const events = (
    ...some: NonNullable<NonNullable<HoldfastOptions['webhooks']>['events']>
  ): Partial<HoldfastOptions> => ({
    webhooks: { secret: SECRET, allowPrivate: true, events: some },
  })

  it('tells what happens, each tenant apart', async () => {
    node = await startNode(events({ url, events: LIFECYCLE_TYPES, tenant: 'acme', secret: OTHER_SECRET }))
    await node.join('zoe', { claims: { tenant: 'other' } })
    const ada = await node.join('ada')
    await ada.request({ type: 'subscribe', channel: 'room:1', presence: true })
    await until(() => told().some(({ type }) => type === 'joined'))
    ada.socket.close(1000)
    await until(() => told().some(({ type }) => type === 'left'))
    const words = told().map(({ type, key }) => `${type} ${key}`)
    expect(words.toSorted()).toEqual(
      expect.arrayContaining(['connected ada', 'disconnected ada', 'joined room:1', 'left room:1', 'occupied room:1']),
    )
    expect(new Set(told().map(({ tenant }) => tenant))).toEqual(new Set(['acme']))
    for (const { headers, body } of asked)
      expect(verifyWebhook(OTHER_SECRET, headers['holdfast-signature'] as string, body)).toBe(true)
    // The answer to the last request is on its way.
    await until(() => node?.holdfast.stats().lifecycle.delivered === told().length)
  })

  it('delivers after a restart what it could not before, where its engine keeps it', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'holdfast-events-'))
    try {
      status = 500
      const options = { engine: { disk: dir }, ...events({ url, events: ['connected', 'disconnected'] }) }
      node = await startNode(options)
      await node.join('ada')
      await until(() => asked.length > 0)
      await node.close()
      status = 200
      asked = []
      node = await startNode(options)
      await until(() => told().length >= 2)
      expect(told().map(({ type }) => type)).toEqual(['connected', 'disconnected'])
    } finally {
      await node?.close()
      node = undefined
      rmSync(dir, { recursive: true, force: true })
    }
  })
})

describe('the option', () => {
  const wrong = (...some: readonly object[]): unknown => {
    const webhooks = { secret: SECRET, events: some } as HoldfastOptions['webhooks'] & object
    return startNode({ webhooks }).then(
      async (started) => {
        await started.close()
        return 'taken'
      },
      (error: unknown) => error,
    )
  }

  it.each([
    [
      'an address without TLS',
      { url: 'http://example.com/', events: ['left'] },
      /^webhooks\.events\[0\]\.url must be an https/,
    ],
    [
      'an address with a password',
      { url: 'https://a:b@example.com/', events: ['left'] },
      /^webhooks\.events\[0\]\.url /,
    ],
    [
      'no event',
      { url: 'https://example.com/', events: [] },
      /^webhooks\.events\.0\.events must be one or more of|^webhooks\.events/,
    ],
    [
      'an event that there is not',
      { url: 'https://example.com/', events: ['gone'] },
      /one or more of connected, resumed/,
    ],
    [
      'a short secret',
      { url: 'https://example.com/', events: ['left'], secret: 'short' },
      /^webhooks\.events\[0\]\.secret/,
    ],
    ['another member', { url: 'https://example.com/', events: ['left'], retries: 3 }, /retries/],
  ])('is refused with %s', async (_, option, message) => {
    const error = await wrong(option)
    expect(error).toBeInstanceOf(OptionsError)
    expect((error as Error).message).toMatch(message)
    expect((error as Error).message).not.toContain('short')
  })

  it('is refused where two would be the same', async () => {
    const option = { url: 'https://example.com/', events: ['left'] }
    const error = (await wrong(option, { ...option, events: ['joined'] })) as Error
    expect(error.message).toMatch(/^webhooks\.events\[1\] must differ/)
    expect(await wrong(option, { ...option, tenant: 'acme' })).toBe('taken')
  })
})
