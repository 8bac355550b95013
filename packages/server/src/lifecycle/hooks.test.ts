import { expect, it } from 'vitest'
import { SimulatedClock } from '../simulated-clock.js'
import { silentLogger } from '../telemetry/log.js'
import type { LifecycleEvent } from './event.js'
import { Hooks } from './hooks.js'

function occupied(id: string): LifecycleEvent {
  return { id, type: 'occupied', tenant: 'acme', key: 'room:1', channel: 'room:1', at: '2026-01-01T00:00:00.000Z' }
}

it('calls no hook again that is done, however many events were given up before', async () => {
  const hooks = new Hooks({ clock: new SimulatedClock(), log: silentLogger, onChange: () => undefined })
  const done: string[] = []
  hooks.on('occupied', ({ id }) => void done.push(id))
  hooks.on('occupied', () => Promise.reject(new Error('it never works')))
  for (let at = 0; at < 10_001; at += 1) await hooks.deliver('acme', [occupied(`given up ${at}`)])
  for (let tries = 0; tries < 2; tries += 1) expect(await hooks.deliver('acme', [occupied('last')])).toBe('unreachable')
  expect(done.filter((id) => id === 'last')).toHaveLength(1)
})
