import { afterEach, describe, expect, it } from 'vitest'
import { type Holdfast, type LimitOptions, createHoldfast } from '@holdfast/server'
import { eventually, pause } from '../kit/deadline.js'
import { printFigures } from '../kit/figures.js'
import { type Acknowledged, checkHistory } from '../kit/history-checker.js'
import { Recorder } from '../kit/recorder.js'
import { SECRET } from '../kit/server-process.js'
import { TcpProxy } from '../kit/tcp-proxy.js'

const CHANNEL = 'room:heavy'
const PADDING = 'x'.repeat(40_000)
/** The kernel and the proxy hold some megabytes before the node does. */
const MESSAGES_MAX = 1_000

describe('a client of the SDK that read too slowly', () => {
  const cleanups: (() => unknown)[] = []

  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
  })

  /** Holds a client's line until the node gives it up, lets it go on, and answers what it was told. */
  async function starve(limits: LimitOptions): Promise<{ recorder: Recorder; acknowledged: Acknowledged[] }> {
    const logged: unknown[] = []
    const write = ({ event }: { event?: unknown }): void => void logged.push(event)
    const node = createHoldfast({
      auth: { secret: SECRET },
      channels: { 'room:*': { history: { size: MESSAGES_MAX, ttl: '1h' } } },
      limits: { outboxBytesMax: 262_144, ...limits },
      log: { debug: write, info: write, warn: write, error: write },
    })
    const { port } = await node.listen()
    const proxy = await TcpProxy.start(port)
    const recorder = new Recorder(proxy.url, 'slow', CHANNEL)
    cleanups.push(
      () => node.close(),
      () => proxy.close(),
      () => recorder.client.disconnect(),
    )
    await eventually('the client has begun', () => recorder.verdicts.length > 0)
    proxy.pause()
    const acknowledged: Acknowledged[] = []
    while (!logged.includes('connection.slow') && acknowledged.length < MESSAGES_MAX)
      acknowledged.push(await publish(node, acknowledged.length))
    expect(logged).toContain('connection.slow')
    proxy.resume()
    acknowledged.push(await publish(node, 'last'))
    await eventually('the client has the last message', () => recorder.data.at(-1) !== undefined && isLast(recorder))
    return { recorder, acknowledged }
  }

  it('recovers all of it from the log where recovery may carry as much', async () => {
    const { recorder, acknowledged } = await starve({ recoveryBytesMax: 64 * 1_048_576 })
    print('with room to recover', recorder, acknowledged)
    expect(checkHistory(recorder.told, acknowledged)).toEqual([])
    expect(recorder.counts).toEqual({ messages: acknowledged.length, gaps: 0 })
    expect(recorder.states.map(({ state, reason }) => [state, reason])).toContainEqual(['waiting', 'Too slow'])
  })

  it('is told of the gap where it may not, and gets the newest', async () => {
    const { recorder, acknowledged } = await starve({})
    print('with the default', recorder, acknowledged)
    expect(checkHistory(recorder.told, acknowledged)).toEqual([])
    expect(recorder.told.filter(({ kind }) => kind === 'gap')).toMatchObject([{ reason: 'too_far' }])
  })
})

async function publish(node: Holdfast, value: number | 'last'): Promise<Acknowledged> {
  const { epoch, offset, id } = await node.tenant('acme').publish(CHANNEL, 'block', { value, PADDING })
  // The node gets to write before the next one.
  await pause(0)
  return { epoch, offset, id }
}

function isLast({ data }: Recorder): boolean {
  return (data.at(-1) as { value?: unknown } | undefined)?.value === 'last'
}

function print(title: string, { counts, verdicts, told }: Recorder, acknowledged: Acknowledged[]): void {
  printFigures(`a slow client of the SDK, ${title}`, {
    'messages published': acknowledged.length,
    'messages delivered': counts.messages,
    verdicts: verdicts.map(({ recovered }) => recovered).join(' '),
    gaps:
      told.flatMap((one) => (one.kind === 'gap' ? [`${one.from}-${one.to} ${one.reason}`] : [])).join(', ') || 'none',
  })
}
