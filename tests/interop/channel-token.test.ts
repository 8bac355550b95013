import { type Channel, Holdfast } from '@holdfast/client'
import { type Holdfast as Node, createHoldfast, signToken } from '@holdfast/server'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { eventually } from '../kit/deadline.js'
import { TcpProxy } from '../kit/tcp-proxy.js'

const SECRET = 'hG5pXr2nWq8sZt4vBy7cKd1mLf9jAe3uQoTiRwYzNxM'

let node: Node
let proxy: TcpProxy
let client: Holdfast

beforeEach(async () => {
  node = createHoldfast({
    auth: { secret: SECRET },
    channels: { 'doc:*': { subscribe: 'grant', publish: 'grant', history: { size: 100, ttl: '1h' } } },
  })
  const { port } = await node.listen()
  proxy = await TcpProxy.start(port)
  client = new Holdfast(proxy.url, {
    token: () => signToken({ secret: SECRET, tenant: 'acme', user: 'ada' }),
    backoff: { minMs: 20, maxMs: 100 },
  })
})

afterEach(async () => {
  client.disconnect()
  await node.close()
  await proxy.close()
})

/** Makes a channel token, and counts how often it was asked for. */
function minting(ttl: string, channel = 'doc:1'): { token: () => Promise<string>; asked: () => number } {
  let asked = 0
  return {
    asked: () => asked,
    async token() {
      asked += 1
      return node
        .tenant('acme')
        .user('ada')
        .channelToken(channel, { verbs: ['subscribe', 'publish'], ttl })
    },
  }
}

const numbers = (channel: Channel): unknown[] => {
  const got: unknown[] = []
  channel.on('n', ({ data }) => got.push(data))
  return got
}

describe('a channel with a token of its own', () => {
  it('is subscribed with a fresh token each time, and may what the token says', async () => {
    const { token, asked } = minting('5m')
    const doc = client.channel('doc:1', { token })
    const got = numbers(doc)
    await doc.subscribe()
    expect(asked()).toBe(1)
    await doc.publish('n', 1)
    await eventually('the message', () => got.length === 1)
    await doc.unsubscribe()
    await doc.subscribe()
    expect(asked()).toBe(2)
    expect(client.channel('doc:1')).toBe(doc)
  })

  it('goes on with a fresh token when the one that it had has expired, and loses nothing', async () => {
    const { token, asked } = minting('1s')
    const doc = client.channel('doc:1', { token })
    const ended: unknown[] = []
    doc.on('unsubscribed', (event) => ended.push(event))
    const got = numbers(doc)
    await doc.subscribe()
    let sent = 0
    await eventually('the third token', async () => {
      await node.tenant('acme').publish('doc:1', 'n', (sent += 1))
      return asked() >= 3
    })
    await eventually('every message', () => got.length >= sent)
    expect(got).toEqual(Array.from({ length: sent }, (_, at) => at + 1))
    expect(ended).toEqual([])
  })

  it('ends when the fresh token is refused', async () => {
    const { token } = minting('1s')
    const stale = await token()
    const doc = client.channel('doc:1', { token: () => stale })
    let ended: { code: string } | undefined
    doc.on('unsubscribed', (event) => (ended = event))
    await doc.subscribe()
    await eventually('the end', () => ended)
    expect(ended).toMatchObject({ code: 'permission_denied' })
    expect(doc.status).toBe('unsubscribed')
  })

  it('tries again when the token cannot be had for now, and gives up when it is for another channel', async () => {
    const { token, asked } = minting('5m')
    let failures = 2
    const doc = client.channel('doc:1', {
      token: async () => {
        if ((failures -= 1) >= 0) throw new Error('no network')
        return token()
      },
    })
    await doc.subscribe()
    expect([failures, asked()]).toEqual([-1, 1])
    const wrong = client.channel('doc:2', minting('5m', 'doc:1'))
    await expect(wrong.subscribe()).rejects.toMatchObject({ code: 'permission_denied' })
  })

  it('needs no new token to resume after a broken connection', async () => {
    const { token, asked } = minting('5m')
    const doc = client.channel('doc:1', { token })
    const got = numbers(doc)
    await doc.subscribe()
    let connection = 0
    client.on('state', ({ state }) => (connection += state === 'open' ? 1 : 0))
    proxy.cut()
    await eventually('it is back', () => connection > 0)
    await node.tenant('acme').publish('doc:1', 'n', 7)
    await eventually('the message', () => got.length === 1)
    expect(asked()).toBe(1)
  })
})
