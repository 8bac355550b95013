import { describe, expect, it } from 'vitest'
import { KnownTops } from './acknowledged-tops.js'

const at = (epoch: string, offset: number): { epoch: string; offset: number; id: string } => ({
  epoch,
  offset,
  id: `${epoch}${offset}`,
})

describe('the tops that a node knows', () => {
  it('are the highest told, in whichever order answers and announcements come', () => {
    const tops = new KnownTops()
    for (const offset of [1, 3, 2]) tops.acknowledged('s', at('e', offset))
    expect([...tops.since(0)]).toEqual([{ stream: 's', ...at('e', 3) }])
  })

  it('follow a log into its next epoch, and do not fall back to the one before', () => {
    const tops = new KnownTops()
    tops.acknowledged('s', at('e', 7))
    tops.rotated('s', 'f')
    tops.acknowledged('s', at('e', 8))
    expect([...tops.since(0)]).toEqual([{ stream: 's', epoch: 'f', offset: 0, id: '' }])
    tops.acknowledged('s', at('f', 1))
    tops.rotated('s', 'f')
    expect([...tops.since(0)]).toEqual([{ stream: 's', ...at('f', 1) }])
  })

  it('are told apart by the tick in which they were last told', () => {
    const tops = new KnownTops()
    for (const stream of ['a', 'b', 'c']) tops.acknowledged(stream, at('e', 1))
    const tick = tops.tick()
    tops.acknowledged('b', at('e', 2))
    expect([...tops.since(tick)].map(({ stream }) => stream)).toEqual(['b'])
    expect([...tops.since(tick - 1)].map(({ stream }) => stream)).toEqual(['a', 'c', 'b'])
  })

  it('are bounded: the one told longest ago goes first, and it is remembered when that was', () => {
    const tops = new KnownTops(3)
    for (const stream of ['a', 'b', 'c']) tops.acknowledged(stream, at('e', 1))
    expect(tops.forgotten).toBe(0)
    const tick = tops.tick()
    tops.acknowledged('a', at('e', 2))
    tops.acknowledged('d', at('e', 1))
    expect([...tops.since(0)].map(({ stream }) => stream)).toEqual(['c', 'a', 'd'])
    expect([tops.size, tops.forgotten]).toEqual([3, tick - 1])
  })
})
