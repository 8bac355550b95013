import { expect, it } from 'vitest'
import type { Authentication } from '../access/authenticator.js'
import { createHoldfast } from '../holdfast.js'
import { SimulatedClock } from '../simulated-clock.js'
import { FakeSocket, upgrade } from '../testing/fake-socket.js'

const IDENTITY = { tenant: 'acme', user: 'ada', roles: [], grants: {}, expiresAt: undefined, tokenId: undefined }

it('says who was let in, from where, and how it ended, once each', async () => {
  const clock = new SimulatedClock()
  const lines: Record<string, unknown>[] = []
  const write = (fields: Record<string, unknown>): void => void lines.push(fields)
  const holdfast = createHoldfast({
    auth: { authenticate: (): Authentication => ({ identity: IDENTITY }) },
    log: { debug: write, info: write, warn: write, error: write },
    clock,
  })
  await holdfast.start()
  const socket = new FakeSocket()
  const handler = holdfast.accept(socket, { ...upgrade(), address: '192.0.2.1', origin: 'https://app.example.com' })
  const hello = '{"type":"hello","token":"not-to-be-told"}'
  handler.text(hello, hello.length)
  await clock.pass(10, 1)
  handler.closed(1006, false)
  const told = lines.filter(({ event }) => String(event).startsWith('connection.'))
  const who = { tenant: 'acme', user: 'ada', address: '192.0.2.1', connection: expect.any(String) as unknown }
  expect(told).toEqual([
    expect.objectContaining({
      ...who,
      event: 'connection.accepted',
      origin: 'https://app.example.com',
      action: 'connected',
    }),
    expect.objectContaining({ ...who, event: 'connection.closed', rule: '1006', reason: 'Connection lost' }),
  ])
  expect(JSON.stringify(lines)).not.toContain('not-to-be-told')
  await holdfast.close()
})
