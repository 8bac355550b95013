import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CONTROL_TEXT_MAX } from './control.js'
import type { RedisEngine } from './redis-engine.js'
import { engineOn } from './testing/redis-harness.js'
import { RedisProcess } from './testing/redis-process.js'

describe('control texts over Redis', () => {
  let redis: RedisProcess
  let engine: RedisEngine

  beforeAll(async () => {
    redis = await RedisProcess.start()
    engine = engineOn({ servers: [{ host: '127.0.0.1', port: redis.port }] })
    await engine.start()
  })
  afterAll(async () => {
    await engine.close()
    await redis.stop()
  })

  /** What reaches a node until `last` has come. */
  async function heardBy(node: string, last: string, send: () => Promise<void>): Promise<string[]> {
    const heard: string[] = []
    let end = (): void => undefined
    const all = new Promise<void>((resolve) => {
      end = resolve
    })
    const undo = await engine.control.receive(node, (text) => {
      heard.push(text)
      if (text === last) end()
    })
    await send()
    await all
    await undo()
    return heard
  }

  it('go to the node that is named, or to all, whatever nodes are called', async () => {
    const heard = await heardBy('all', 'end', async () => {
      for (const node of ['', 'All', 'all ', 'another']) await engine.control.send(node, `to ${node}`)
      await engine.control.send('all', 'mine')
      await engine.control.send(undefined, 'end')
    })
    expect(heard).toEqual(['mine', 'end'])
  })

  it('arrive to the letter up to their bound, and are refused beyond it', async () => {
    const longest = `é\n${'x'.repeat(CONTROL_TEXT_MAX - 2)}`
    expect(
      await heardBy('n', 'end', async () => {
        await engine.control.send('n', longest)
        await engine.control.send('n', 'end')
      }),
    ).toEqual([longest, 'end'])
    await expect(engine.control.send('n', `${longest}x`)).rejects.toThrow('at most 262144 characters, received 262145')
  })
})
