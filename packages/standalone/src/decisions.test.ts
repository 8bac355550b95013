import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { type IncomingMessage, type Server, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Holdfast } from '@holdfast/client'
import { signToken, verifyWebhook } from '@holdfast/server'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from './clock.js'
import { loadConfiguration } from './configuration.js'
import { createLog } from './log.js'
import { type Standalone, startStandalone } from './standalone-server.js'

const SECRET = 'kT9v3Qz1rW8uYb5nXe2sLd7fHj4gMp6aCw0iOqRtEyU'
const WEBHOOK_SECRET = 'bN4xT9cL2kR6nY8sJ3hF5dG0pAeUoIqX'

let directory: string
let receiver: Server
let standalone: Standalone
let asked: { readonly body: Record<string, unknown>; readonly isSigned: boolean }[]

beforeEach(async () => {
  asked = []
  receiver = createServer((request, response) => {
    void readText(request).then((text) => {
      const header = request.headers['holdfast-signature'] as string
      const body = JSON.parse(text) as Record<string, unknown>
      asked.push({ body, isSigned: verifyWebhook(WEBHOOK_SECRET, header, text) })
      response.end(JSON.stringify({ allow: body['channel'] === 'room:open' }))
    })
  })
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve))
  directory = await mkdtemp(join(tmpdir(), 'holdfast-decisions-'))
  const file = join(directory, 'holdfast.yaml')
  const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/decide`
  await writeFile(
    file,
    JSON.stringify({
      channels: {
        'room:*': { subscribe: 'webhook', publish: 'grant', identity: ['user'], history: { size: 10, ttl: '1h' } },
      },
      roles: { host: { 'room:*': ['publish'] } },
      webhooks: { subscribe: { url }, allowPrivate: true },
    }),
  )
  const env = { PORT: '0', HOLDFAST_WEBHOOK_SECRET: WEBHOOK_SECRET }
  const configuration = await loadConfiguration({ env, file })
  const log = createLog({ level: 'silent', format: 'json' }, { write: () => true })
  standalone = await startStandalone({ configuration, secret: SECRET, log, cwd: directory, clock: systemClock })
})

afterEach(async () => {
  await standalone.drain()
  await new Promise((resolve) => receiver.close(resolve))
  await rm(directory, { recursive: true })
})

describe('a file that says who may what', () => {
  it('has a webhook asked, gives roles their grants, and guards the fields that name the sender', async () => {
    const token = signToken({ secret: SECRET, tenant: 'acme', user: 'ada', roles: ['host'] })
    const client = new Holdfast(standalone.webSocketUrl, { token })
    const open = client.channel('room:open')
    await open.subscribe()
    await expect(client.channel('room:closed').subscribe()).rejects.toMatchObject({ code: 'permission_denied' })
    expect(asked.map(({ body, isSigned }) => [body['type'], body['user'], body['channel'], isSigned])).toEqual([
      ['subscribe', 'ada', 'room:open', true],
      ['subscribe', 'ada', 'room:closed', true],
    ])
    expect(await open.publish('chat', { user: 'ada' })).toMatchObject({ offset: 1 })
    await expect(open.publish('chat', { user: 'eve' })).rejects.toMatchObject({
      code: 'permission_denied',
      message: 'data.user must name nobody but the sender',
    })
    client.disconnect()
  })
})

async function readText(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}
