import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { Stage, answer } from '../testing/scripted-server.js'
import { settle } from '../testing/simulated-clock.js'
import { ChannelStore } from './channel-store.js'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
afterEach(() => void vi.useRealTimers())

it('asks for the past again as long as a component is there, and not for one that has gone before it was refused', async () => {
  const stage = new Stage()
  const asked: number[] = []
  stage.network.onConnect = (end) => {
    end.onCommand = (command) => {
      if (command.type === 'history') asked.push(command.id!)
      else answer(end, command)
    }
    end.accept()
  }
  const end = await stage.open()
  const refuse = async (id: number): Promise<void> => {
    end.send({ type: 'error', id, code: 'rate_limited', message: 'Too often', retryable: true })
    await settle()
    await vi.advanceTimersByTimeAsync(5000)
  }
  stage.client.channel('room:1').on('*', () => {})
  const store = new ChannelStore(stage.client, 'room:1', { limit: 10, history: 2 })
  const leave = store.subscribe(() => {})
  await settle()
  await refuse(asked[0]!)
  expect(asked).toHaveLength(2)
  leave()
  await refuse(asked[1]!)
  expect(asked).toHaveLength(2)
  store.subscribe(() => {})
  await settle()
  expect(asked).toHaveLength(3)
})
