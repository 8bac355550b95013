import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Position, ServerMessageOf } from '@holdfast/protocol'
import { signToken } from '@holdfast/server'
import { SECRET, ServerProcess, runCommand } from '../kit/server-process.js'
import { WireClient } from '../kit/wire-client.js'

/** Debian's, which has `websockets`. */
const PYTHON = '/usr/bin/python3'
const CLIENT = fileURLToPath(new URL('client.py', import.meta.url))
const CHANNEL = 'room:languages'

interface Talk {
  readonly subscribed: ServerMessageOf<'subscribed'>
  readonly heard: { readonly stored: ServerMessageOf<'ok'>; readonly message: ServerMessageOf<'message'> }[]
  readonly position: Position
  readonly close: number
}

interface Knock {
  readonly first: { readonly type: string }
  readonly code: number
  readonly reason: string
}

describe('a client in Python, with a token of the command line', () => {
  let server: ServerProcess
  let token: string

  beforeAll(async () => {
    server = await ServerProcess.start()
    token = await makeToken('guido')
  })

  afterAll(() => server.kill())

  /** Runs the client with a token, or with none, and answers what it printed. */
  async function python<T>(credential: string | undefined, ...args: string[]): Promise<T> {
    const env = { URL: server.url, ...(credential !== undefined && { TOKEN: credential }) }
    const { stdout } = await promisify(execFile)(PYTHON, [CLIENT, ...args], { env })
    return JSON.parse(stdout) as T
  }

  it('hears its own messages with an offset, and after a reconnect exactly what it missed', async () => {
    const talk = await python<Talk>(token, 'talk', CHANNEL)
    expect(talk.subscribed).toMatchObject({ recovered: 'new', messages: [] })
    expect(talk.heard.map(({ message }) => message)).toMatchObject([
      { channel: CHANNEL, offset: 1, event: 'chat', data: { text: 'hello' }, from: { user: 'guido' } },
      { channel: CHANNEL, offset: 2, event: 'chat', data: { text: 'grüße, 世界 🚀' }, from: { user: 'guido' } },
    ])
    for (const { stored, message } of talk.heard)
      expect(stored).toMatchObject({ offset: message.offset, messageId: message.id, epoch: talk.position.epoch })
    expect(talk.close).toBe(1000)

    const target = ['--tenant', 'acme', '--url', server.url]
    await runCommand('publish', CHANNEL, '{"text":"from the command line"}', '--event', 'chat', ...target)
    const ada = await WireClient.welcomed(server.url, { token: await makeToken('ada') })
    for (const text of ['one', 'two'])
      await ada.get('ok', { type: 'publish', channel: CHANNEL, event: 'chat', data: { text } })
    await ada.close()

    const missed = await python<ServerMessageOf<'subscribed'>>(
      token,
      'catch-up',
      CHANNEL,
      JSON.stringify(talk.position),
    )
    expect(missed.recovered).toBe('full')
    expect(missed.gap).toBeUndefined()
    expect(missed.messages.map(({ offset, data }) => [offset, data])).toEqual([
      [3, { text: 'from the command line' }],
      [4, { text: 'one' }],
      [5, { text: 'two' }],
    ])
    expect(missed.position.offset).toBe(5)
    process.stdout.write(`\npython: missed ${missed.messages.length} messages, recovered ${missed.recovered}\n`)
  })

  const WAYS = ['hello', 'header', 'query', 'subprotocol']

  it.each(WAYS)('is let in by a token in its %s', async (way) => {
    expect(await python<Knock>(token, 'knock', way)).toMatchObject({ first: { type: 'welcome' }, code: 1000 })
  })

  const claims = { tenant: 'acme', user: 'guido', secret: SECRET }
  const REFUSED = [
    [
      'a token signed with another secret',
      signToken({ ...claims, secret: 'A'.repeat(40) }),
      'Invalid authentication token',
    ],
    ['something that is no token', 'open-sesame', 'Invalid authentication token'],
    ['an expired token', signToken({ ...claims, ttlSeconds: -60 }), 'Authentication token expired'],
  ] as const

  it.each(REFUSED)('is told goodbye and closed 1008 for %s, however it comes', async (_what, credential, reason) => {
    const goodbye = { type: 'goodbye', code: 1008, message: reason, reconnect: 'refresh' }
    const knocks = await Promise.all(WAYS.map((way) => python<Knock>(credential, 'knock', way)))
    expect(knocks).toEqual(WAYS.map(() => ({ first: goodbye, code: 1008, reason })))
  })

  it('is told goodbye and closed 1008 without a token', async () => {
    const reason = 'Authentication required'
    const goodbye = { type: 'goodbye', code: 1008, message: reason, reconnect: 'refresh' }
    expect(await python<Knock>(undefined, 'knock', 'hello')).toEqual({ first: goodbye, code: 1008, reason })
  })

  it('has ten connections for a user, and the eleventh is closed 1008', async () => {
    const outcomes = await python<unknown[]>(await makeToken('crowd'), 'crowd', '11')
    expect(outcomes).toEqual([
      ...Array.from({ length: 10 }, () => ['welcome', null, null]),
      ['goodbye', 1008, 'Connection limit exceeded'],
    ])
  })
})

/** A token as a person gets it: the command prints it and nothing else. */
async function makeToken(user: string): Promise<string> {
  const printed = await runCommand('token', '--tenant', 'acme', '--user', user)
  expect(printed).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/)
  return printed.trim()
}
