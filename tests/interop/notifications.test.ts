import { Holdfast } from '@holdfast/client'
import { createHoldfast, signToken } from '@holdfast/server'
import { afterEach, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { eventually } from '../kit/deadline.js'

const secret = 'k3Jx9-Qm2vT7_wZ4pL8sB1nR6yD0fG5h'
const cleanups: (() => unknown)[] = []

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup()
})

it('a page gets a critical notification once, is reminded of it, and confirms it from the reminder', async () => {
  const node = createHoldfast({
    auth: { secret },
    channels: { 'user:{user}': { inbox: true, history: { size: 100, ttl: '1h' } } },
  })
  const { url } = await node.listen()
  cleanups.push(() => node.close())
  const token = signToken({ secret, tenant: 'acme', user: 'ada', ttlSeconds: 60 })
  const client = new Holdfast(url, { token, WebSocket })
  cleanups.push(() => client.disconnect())
  const heard: string[] = []
  const inbox = client.inbox()
  inbox.on('notification', ({ data }) => void heard.push(`${data.id} ${data.priority}`))
  inbox.on('reminder', ({ data }) => {
    heard.push(`reminder ${data.reminder} of ${data.id}: ${data.title}`)
    if (data.reminder === 2) inbox.ack(data.offset)
  })
  await client.ready()
  const acme = node.tenant('acme')
  await acme.notify('ada', { id: 'fire', title: 'Fire', priority: 'critical' })
  await client.channel('user:ada').subscribe()
  const receipt = await acme.receipts.changed('fire', { timeoutMs: 15_000 })
  expect(receipt).toMatchObject({ state: 'confirmed', attempts: 3 })
  await eventually('the second reminder was heard', () => heard.length >= 3)
  expect(heard).toEqual(['fire critical', 'reminder 1 of fire: Fire', 'reminder 2 of fire: Fire'])
})
