import { type Server, createServer } from 'node:http'
import { type AddressInfo, type Socket, connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createHoldfast, signToken } from '@holdfast/server'
import { eventually } from '../kit/deadline.js'
import { printFigures } from '../kit/figures.js'
import { LightReader, maskedFrame } from '../kit/light-reader.js'
import { SeededRandom, seedOfThisRun } from '../kit/seeded-random.js'
import { SECRET, ServerProcess } from '../kit/server-process.js'
import { WireClient } from '../kit/wire-client.js'
import { FrameGrammar } from './frame-grammar.js'
import { upgradeRequest } from './upgrade-grammar.js'

const FRAMES = 10_000
const FRAMES_PER_CONNECTION_MAX = 60
const LANES = 6
const UPGRADES = 600
const SEED = seedOfThisRun()
const RULES = { 'room:*': { publish: 'member', presence: true, history: { size: 1_000, ttl: '1h' } } } as const

describe('a server', () => {
  let server: ServerProcess

  beforeAll(async () => {
    // Enough errors for a connection to be reached by all of its frames.
    server = await ServerProcess.start({ channels: RULES, limits: { errorsMax: 10_000 } })
  })

  afterAll(() => server.kill())

  it(`outlives random frames, which cost a connection beside them nothing (${FRAMES} frames, seed ${SEED})`, async () => {
    process.stdout.write(`\nfuzz: HOLDFAST_TEST_SEED=${SEED}\n`)
    const steady = await WireClient.welcomed(server.url, { token: tokenOf('steady') })
    const publisher = await WireClient.welcomed(server.url, { token: tokenOf('publisher') })
    await steady.get('subscribed', { type: 'subscribe', channel: 'room:steady' })
    const endings = new Map<string, number>()
    let frames = 0
    let connections = 0
    let published = 0
    let answers = 0

    // Chance of its own for each, so that what it sends does not hang on what the others do.
    const lane = async (random: SeededRandom, user: string): Promise<void> => {
      const grammar = new FrameGrammar(random)
      for (let sent = 0; sent < FRAMES / LANES;) {
        const some = Array.from({ length: random.between(1, FRAMES_PER_CONNECTION_MAX) }, () => grammar.frame())
        sent += some.length
        frames += some.length
        connections += 1
        publisher.send({ type: 'publish', channel: 'room:steady', data: (published += 1) })
        const chunks = chunksOf(some, random)
        const ending = await attack(server.port, random.once(10) ? undefined : user, chunks, () => (answers += 1))
        endings.set(ending, (endings.get(ending) ?? 0) + 1)
      }
    }
    await Promise.all(
      Array.from({ length: LANES }, (_, index) => lane(new SeededRandom(SEED + index), `fuzz-${index}`)),
    )

    await publisher.get('ok', { type: 'publish', channel: 'room:steady', data: (published += 1) })
    const counted = (): number[] =>
      steady.of('message').flatMap(({ from, data }) => (isPublisher(from) ? [Number(data)] : []))
    await eventually('the steady reader has the last message', () => counted().at(-1) === published)
    printFigures('random frames', {
      frames,
      'messages of the server in answer': answers,
      connections,
      'messages published beside them': published,
      'messages in the channel with those of the frames': steady.of('message').length,
      'resident, MiB': server.residentBytes() / 1_048_576,
      ...Object.fromEntries(endings),
    })
    expect(server.isRunning).toBe(true)
    expect(counted()).toEqual(Array.from({ length: published }, (_, index) => index + 1))
    expect(steady.of('message').map(({ offset }) => offset)).toEqual(steady.of('message').map((_, index) => index + 1))
    // A frame that makes the server log an error has found a mistake, even where the process goes on.
    expect(server.log.filter(({ level }) => Number(level) >= 50)).toEqual([])
  }, 90_000)

  it(`outlives random requests to become a WebSocket (${UPGRADES}, seed ${SEED})`, async () => {
    const answers = new Map<string, number>()
    const lane = async (random: SeededRandom): Promise<void> => {
      for (let sent = 0; sent < UPGRADES / LANES; sent += 1) {
        const answer = await request(server.port, upgradeRequest(random))
        answers.set(answer, (answers.get(answer) ?? 0) + 1)
      }
    }
    await Promise.all(Array.from({ length: LANES }, (_, index) => lane(new SeededRandom(SEED - index))))
    printFigures('random requests', Object.fromEntries(answers))
    const client = await WireClient.welcomed(server.url, { token: tokenOf('steady') })
    await client.get('pong', { type: 'ping' })
    await client.close()
    expect(server.log.filter(({ level }) => Number(level) >= 50)).toEqual([])
  }, 60_000)
})

/** Sends these bytes and nothing more, waits until the server lets go, and answers its first line. */
async function request(port: number, bytes: Buffer): Promise<string> {
  let answer = ''
  let isGone = false
  const socket = connect({ port, host: '127.0.0.1' })
  socket.on('data', (chunk: Buffer) => (answer += chunk.toString('latin1')))
  socket.on('error', () => undefined).on('close', () => (isGone = true))
  socket.end(bytes)
  await eventually('the server lets the request go', () => isGone, 20_000)
  return answer.split('\r\n')[0] || 'no answer'
}

/** Sends these bytes over a connection of its own and answers how it ended; without a user it does not say hello. */
async function attack(
  port: number,
  user: string | undefined,
  chunks: readonly Buffer[],
  onAnswer: () => void,
): Promise<string> {
  let welcomed = false
  const attacker = new LightReader(port, (head) => {
    welcomed ||= head.startsWith('{"type":"welcome"')
    onAnswer()
  })
  if (user !== undefined) {
    attacker.send(JSON.stringify({ type: 'hello', token: tokenOf(user) }))
    await eventually('the attacker is let in', () => welcomed)
  }
  for (const chunk of chunks) {
    if (attacker.gone) break
    attacker.write(chunk)
    // A turn of the event loop, so that the chunks leave one by one.
    await new Promise<void>((resolve) => {
      setImmediate(resolve)
    })
  }
  attacker.finishWriting()
  await eventually('the server lets the connection go', () => attacker.gone)
  return attacker.closed ? `ended ${attacker.closed.code} ${attacker.closed.reason}` : 'ended by us'
}

/** The frames glued together and cut elsewhere. */
function chunksOf(frames: readonly Buffer[], random: SeededRandom): Buffer[] {
  const bytes = Buffer.concat(frames)
  const chunks: Buffer[] = []
  for (let at = 0; at < bytes.length;) {
    const size = random.once(2) ? random.between(1, 40) : random.between(1, 8_000)
    chunks.push(bytes.subarray(at, at + size))
    at += size
  }
  return chunks
}

describe('the bytes of a connection', () => {
  const holdfast = createHoldfast({ auth: { secret: SECRET }, channels: RULES })
  let http: Server
  let port: number
  let accepted: Socket | undefined

  beforeAll(async () => {
    http = createServer().on('connection', (socket: Socket) => (accepted = socket))
    holdfast.attach(http)
    await new Promise<void>((resolve) => {
      http.listen(0, '127.0.0.1', resolve)
    })
    port = (http.address() as AddressInfo).port
  })

  afterAll(async () => {
    await holdfast.close()
    http.close()
  })

  const COMMANDS = [
    { type: 'hello', id: 1, token: tokenOf('cutter') },
    { type: 'subscribe', id: 2, channel: 'room:cuts' },
    { type: 'publish', id: 3, channel: 'room:cuts', data: { text: 'ä€𝔾', padding: 'x'.repeat(120) } },
    { type: 'ping', id: 4 },
  ]
  const stream = Buffer.concat(COMMANDS.map((command) => maskedFrame(0x81, Buffer.from(JSON.stringify(command)))))

  /** Sends the stream in these parts, each when the server has read the one before; answers the types of what came back. */
  async function send(parts: readonly Buffer[]): Promise<string[]> {
    const types: string[] = []
    accepted = undefined
    const client = new LightReader(port, (head) => types.push(/^{"type":"(\w+)"/.exec(head)?.[1] ?? head))
    const peer = await eventually('the upgrade', () => client.isUpgraded && accepted)
    for (const part of parts) {
      const before = peer.bytesRead
      client.write(part)
      await eventually('the server has read it', () => peer.bytesRead === before + part.length)
    }
    await eventually('all answers', () => types.length >= ANSWERS.length)
    client.end()
    return types.sort()
  }

  // Sorted, because a quick answer may overtake a slow one.
  const ANSWERS = ['message', 'ok', 'pong', 'subscribed', 'welcome']

  it('mean the same wherever they are cut', async () => {
    const steady = await WireClient.welcomed(`ws://127.0.0.1:${port}/ws`, { token: tokenOf('steady') })
    await steady.get('subscribed', { type: 'subscribe', channel: 'room:cuts' })
    for (let cut = 1; cut < stream.length; cut += 1) {
      expect(await send([stream.subarray(0, cut), stream.subarray(cut)]), `cut at ${cut}`).toEqual(ANSWERS)
    }
    expect(await send(Array.from(stream, (byte) => Buffer.from([byte])))).toEqual(ANSWERS)
    expect(await send([stream])).toEqual(ANSWERS)
    const sent = stream.length + 1
    await eventually('the steady reader has all', () => steady.of('message').length === sent)
    expect(steady.of('message').map(({ offset }) => offset)).toEqual(Array.from({ length: sent }, (_, at) => at + 1))
    process.stdout.write(`\ncuts: ${stream.length} bytes, cut at every one, sent one by one, and glued\n`)
    await steady.close()
  }, 60_000)
})

function isPublisher(from: object): boolean {
  return 'user' in from && from.user === 'publisher'
}

function tokenOf(user: string): string {
  return signToken({ secret: SECRET, tenant: 'acme', user, ttlSeconds: 3_600 })
}
