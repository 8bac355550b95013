import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Keys } from './keys.js'
import { slotOf } from './slot.js'

/** Names out of few characters, those that keys are put together with among them, and half pairs. */
const name = fc.string({
  unit: fc.constantFrom('a', '1', ':', '{', '}', '=', '~', '\n', 'é', '\ud800', '\udc00'),
  maxLength: 8,
})
const part = fc.constantFrom('a', 'b', 'a.b', 'hf', 'hf-1')

/** All that can be named, each with what it names. */
const thing = fc.oneof(
  fc.tuple(fc.constantFrom('log', 'top', 'state', 'members', 'users', 'live'), name, name),
  fc.tuple(fc.constant('idempotency'), name, name, name, name),
  fc.tuple(
    fc.constantFrom('record', 'lease', 'counter', 'rate', 'ends', 'entries', 'order', 'order-ends', 'own', 'node'),
    name,
  ),
)

function keyOf(keys: Keys, [kind, first, second = '', scope = '', key = '']: readonly string[]): string {
  const stream = keys.stream({ tenant: first ?? '', channel: second })
  switch (kind) {
    case 'idempotency':
      return keys.idempotency(stream, scope, key)
    case 'record':
    case 'lease':
    case 'counter':
    case 'rate':
      return keys[kind](first ?? '')
    case 'ends':
    case 'entries':
      return keys.register(first ?? '')[kind]
    case 'order':
      return keys.index(first ?? '').order
    case 'order-ends':
      return keys.index(first ?? '').ends
    case 'own':
      return keys.own('holdings', first ?? '')
    case 'node':
      return keys.node('lease', first ?? '')
    default:
      return stream[kind as 'log']
  }
}

describe('keys', () => {
  it('T-075, T-101 are different for different things, whatever tenants, channels and prefixes are called', () => {
    fc.assert(
      fc.property(part, part, thing, part, part, thing, (prefix, cluster, one, prefix2, cluster2, other) => {
        const [key, key2] = [keyOf(new Keys(prefix, cluster), one), keyOf(new Keys(prefix2, cluster2), other)]
        const isSame = JSON.stringify([prefix, cluster, one]) === JSON.stringify([prefix2, cluster2, other])
        // As Redis sees them: in UTF-8.
        expect(Buffer.from(key).equals(Buffer.from(key2))).toBe(isSame)
      }),
      { numRuns: 3_000 },
    )
  })

  it('of one stream are in one slot, those of its idempotency keys too', () => {
    fc.assert(
      fc.property(name, name, name, name, (tenant, channel, scope, key) => {
        const keys = new Keys('hf', 'default')
        const { name: _name, ...stream } = keys.stream({ tenant, channel })
        const all = [...Object.values(stream), keys.idempotency({ ...stream, name: _name }, scope, key)]
        expect(new Set(all.map(slotOf)).size).toBe(1)
      }),
    )
  })

  it('of one register are in one slot', () => {
    fc.assert(
      fc.property(name, (register) => {
        const { ends, entries } = new Keys('hf', 'default').register(register)
        expect(slotOf(ends)).toBe(slotOf(entries))
      }),
    )
  })

  it('of one index are in one slot, and those by which reports are read', () => {
    fc.assert(
      fc.property(name, part, part, (index, prefix, cluster) => {
        const keys = new Keys(prefix, cluster)
        expect(slotOf(keys.index(index).ends)).toBe(slotOf(keys.index(index).order))
        expect(slotOf(keys.reports.reader)).toBe(slotOf(keys.reports.left))
      }),
    )
  })

  it('of the channels of one tenant spread over the slots', () => {
    const keys = new Keys('hf', 'default')
    const slots = Array.from({ length: 1_000 }, (_, n) =>
      slotOf(keys.stream({ tenant: 't', channel: `room:${n}` }).log),
    )
    expect(new Set(slots).size).toBeGreaterThan(900)
  })

  it('of a stream are found by its name in tables as well', () => {
    const keys = new Keys('hf', 'default')
    const stream = keys.stream({ tenant: 'acme', channel: 'room:1' })
    expect(new Keys('hf', 'default').named(stream.name)).toEqual(stream)
  })
})
