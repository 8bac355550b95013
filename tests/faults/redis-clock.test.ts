import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join as path } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { eventually } from '../kit/deadline.js'
import type { WireClient } from '../kit/wire-client.js'
import { RedisServer } from '../cluster/kit/redis-server.js'
import { Pair, TENANT, join } from './pair.js'

const CHANNEL = 'room:1'
const PER_HOUR = 20

let folder: string
let redis: RedisServer
let pair: Pair
let ada: WireClient
let bob: WireClient

beforeEach(async () => {
  folder = mkdtempSync(path(tmpdir(), 'holdfast-clock-'))
  setClock('+0')
  redis = await RedisServer.start({}, environment())
  pair = await Pair.start({ cluster: { renewMs: 300, leaseMs: 2_000 } }, redis)
  ada = await join(pair.first.url, 'ada')
  bob = await join(pair.second.url, 'bob')
  for (const client of [ada, bob])
    await client.get('subscribed', { type: 'subscribe', channel: CHANNEL, presence: true })
})

afterEach(async () => {
  await pair.stop()
  rmSync(folder, { recursive: true, force: true })
})

describe('a Redis whose clock jumps', () => {
  it.each([
    ['an hour ahead', '+1h'],
    ['an hour back', '-1h'],
  ])('F-20 %s goes on with its offsets, and what expired by it is told of', async (_, jump) => {
    await publish(1)
    const early = await join(pair.first.url, 'carol')
    const { position } = await early.get('subscribed', { type: 'subscribe', channel: CHANNEL })
    const before = await secondsOfRedis()
    setClock(jump)
    expect(Math.abs((await secondsOfRedis()) - before)).toBeGreaterThan(3_500)
    await publish(2)
    setClock('+0')
    await publish(3)
    const wanted = Array.from({ length: 3 * PER_HOUR }, (__, index) => index + 1)
    for (const client of [ada, bob]) {
      await eventually('all have come', () => client.of('message').length === wanted.length)
      expect(client.of('message').map(({ offset }) => offset)).toEqual(wanted)
      expect(client.of('gap')).toEqual([])
    }
    const late = await join(pair.second.url, 'dan')
    const { recovered, gap, messages, epoch } = await late.get('subscribed', {
      type: 'subscribe',
      channel: CHANNEL,
      since: position,
    })
    expect(epoch).toBe(position.epoch)
    expect(gap?.reason).toBe(recovered === 'gap' ? 'expired' : undefined)
    // Everything after the position, or what was kept of it: without a hole, up to the end.
    const first = (gap?.to ?? position.offset) + 1
    expect(messages.map(({ offset }) => offset)).toEqual(wanted.filter((offset) => offset >= first))
  })

  it('F-20 back and forth keeps who is there', async () => {
    for (const jump of ['+1h', '+0', '-1h', '+0']) {
      setClock(jump)
      const leaver = await join(pair.first.url, `eve${jump}`)
      await leaver.get('subscribed', { type: 'subscribe', channel: CHANNEL, presence: true })
      await eventually('everybody is there', async () => (await present()) === `ada bob eve${jump}`)
      await leaver.close()
      await eventually('who left is gone', async () => (await present()) === 'ada bob')
    }
  }, 40_000)
})

async function publish(hour: number): Promise<void> {
  for (let said = 0; said < PER_HOUR; said += 1)
    await ada.get('ok', { type: 'publish', channel: CHANNEL, data: [hour, said], key: `${hour}-${said}` })
}

async function present(): Promise<string> {
  const { members } = await pair.second.holdfast.tenant(TENANT).presence(CHANNEL)
  return members
    .map(({ user }) => user)
    .toSorted()
    .join(' ')
}

async function secondsOfRedis(): Promise<number> {
  const [seconds] = await redis.ask((connection) => connection.list('TIME'))
  return Number(seconds)
}

function setClock(offset: string): void {
  writeFileSync(path(folder, 'clock'), offset)
}

/** The environment in which a process reads its date from our file, and time that passes as ever. */
function environment(): NodeJS.ProcessEnv {
  return {
    ...process.env,
    // The allocator of Redis asks for the time before the library is ready to answer; that of the system does not.
    LD_PRELOAD: `${faketimeLibrary()}:${systemLibrary()}`,
    FAKETIME_TIMESTAMP_FILE: path(folder, 'clock'),
    FAKETIME_NO_CACHE: '1',
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
  }
}

function faketimeLibrary(): string {
  const found = readdirSync('/usr/lib')
    .map((machine) => `/usr/lib/${machine}/faketime/libfaketime.so.1`)
    .find(existsSync)
  if (found === undefined)
    throw new Error('these tests set the clock of Redis with libfaketime: apt-get install faketime')
  return found
}

/** The C library of this process. */
function systemLibrary(): string {
  const found = /\S+\/libc\.so\.6/.exec(readFileSync('/proc/self/maps', 'utf8'))?.[0]
  if (found === undefined) throw new Error('these tests set the clock of Redis through the C library of GNU')
  return found
}
