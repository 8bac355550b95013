import type { Holdfast } from '@holdfast/server'
import { type Clock, pause } from '../clock.js'
import { DEMO_ROOM } from './tenant.js'

const FIRST_AFTER_MS = 2000
const EVERY_MS = 1200
const LINES = ['The tide does not wait for you.', 'You cannot hear this yet.', 'But it is kept for you, in order.']

/**
 * Registers `demo.speak`: the server says three things in the demo's room, one after another, beginning in a moment.
 * The page asks for it before it cuts its own network, so that there is something to miss. One speech at a time.
 */
export function registerSpeakMethod(holdfast: Holdfast, clock: Clock): void {
  let speaking = false
  holdfast.method('demo.speak', {
    handler(_data: unknown, { tenant }) {
      if (speaking) return { lines: 0 }
      speaking = true
      const speech = speak(holdfast, clock, tenant)
      void speech.catch(() => {}).finally(() => (speaking = false))
      return { lines: LINES.length }
    },
  })
}

async function speak(holdfast: Holdfast, clock: Clock, tenant: string): Promise<void> {
  await pause(clock, FIRST_AFTER_MS)
  for (const text of LINES) {
    await holdfast.tenant(tenant).publish(DEMO_ROOM, 'chat', { text })
    await pause(clock, EVERY_MS)
  }
}
