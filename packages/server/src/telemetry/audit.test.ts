import { describe, expect, it } from 'vitest'
import { SimulatedClock } from '../simulated-clock.js'
import { AuditTrail } from './audit.js'
import type { Logger } from './log.js'

function trail(): { audit: AuditTrail; clock: SimulatedClock; lines: Record<string, unknown>[] } {
  const clock = new SimulatedClock()
  const lines: Record<string, unknown>[] = []
  const write = (level: string) => (fields: Record<string, unknown>) => void lines.push({ level, ...fields })
  const log: Logger = { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') }
  return { audit: new AuditTrail({ node: 'n1', clock, log }), clock, lines }
}

describe('the audit trail', () => {
  it('writes one line for a decision, with the level of its event', () => {
    const { audit, lines } = trail()
    audit.record('auth.failed', { address: '192.0.2.1', connection: 'c1', reason: 'invalid', user: undefined })
    expect(lines).toEqual([
      {
        level: 'warn',
        audit: true,
        ts: expect.any(String) as unknown,
        event: 'auth.failed',
        node: 'n1',
        tenant: '-',
        address: '192.0.2.1',
        connection: 'c1',
        reason: 'invalid',
      },
    ])
  })

  it('T-111 escapes what would forge or disturb a line, and cuts it', () => {
    const { audit, lines } = trail()
    audit.record('authz.denied', { channel: 'a\r\nb\u001b[31m\u202e\ud800"%s', user: 'x'.repeat(1_000_000) })
    expect(lines[0]?.['channel']).toBe('a\\u000d\\u000ab\\u001b[31m\\u202e\\ud800"%s')
    expect(String(lines[0]?.['user'])).toHaveLength(128)
    audit.record('authz.denied', { channel: '\n'.repeat(200) })
    expect(String(lines[1]?.['channel']).length).toBeLessThanOrEqual(128)
  })

  it('T-112 writes ten lines of one kind from one address in a second, and then how many there were', () => {
    const { audit, clock, lines } = trail()
    for (let n = 0; n < 1_000; n += 1) audit.record('origin.refused', { address: '192.0.2.1' })
    audit.record('origin.refused', { address: '192.0.2.2' })
    expect(lines).toHaveLength(11)
    clock.advance(1_000)
    expect(lines[11]).toMatchObject({
      event: 'event.suppressed',
      rule: 'origin.refused',
      address: '192.0.2.1',
      count: 990,
    })
    audit.record('origin.refused', { address: '192.0.2.1' })
    expect(lines).toHaveLength(13)
  })

  it('T-112 stays bounded when every line has another address', () => {
    const { audit, clock, lines } = trail()
    for (let n = 0; n < 30_000; n += 1) audit.record('auth.failed', { address: `10.0.${n >> 8}.${n & 255}` })
    expect(lines).toHaveLength(10_000 + 10)
    clock.advance(1_000)
    expect(lines.at(-1)).toMatchObject({ event: 'event.suppressed', address: '*', count: 19_990 })
  })
})
