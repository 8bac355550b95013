import { describe, expect, it } from 'vitest'
import { encodeRotation, encodeText } from './announcement.js'
import { type Hearer, Interest } from './interest.js'

function interested(): { interest: Interest; troubles: string[] } {
  const troubles: string[] = []
  const interest = new Interest({
    malformed: (channel) => troubles.push(`malformed ${channel}`),
    failed: (error) => troubles.push((error as Error).message),
  })
  return { interest, troubles }
}

function listener(heard: string[], name: string): Hearer {
  return {
    hear: (announcement) => heard.push(`${name} ${announcement.kind}`),
    uncertain: () => heard.push(`${name} uncertain`),
  }
}

describe('the interest of a node', () => {
  it('tells each announcement to all who listen to its channel, and to nobody else', () => {
    const { interest } = interested()
    const heard: string[] = []
    interest.add('a', listener(heard, 'one'))
    interest.add('a', listener(heard, 'two'))
    interest.add('b', listener(heard, 'three'))
    interest.hear('a', encodeText('x'))
    interest.hear('c', encodeText('x'))
    expect(heard).toEqual(['one text', 'two text'])
  })

  it('ends with the last who listens', () => {
    const { interest } = interested()
    const [one, two] = [listener([], 'one'), listener([], 'two')]
    interest.add('a', one)
    interest.add('a', two)
    expect([interest.remove('a', one), interest.has('a')]).toEqual([false, true])
    expect([interest.remove('a', one), interest.has('a')]).toEqual([false, true])
    expect([interest.remove('a', two), interest.has('a')]).toEqual([true, false])
  })

  it('drops what is malformed and goes on', () => {
    const { interest, troubles } = interested()
    const heard: string[] = []
    interest.add('a', listener(heard, 'one'))
    interest.hear('a', 'nonsense')
    interest.hear('a', encodeRotation('e'))
    expect([heard, troubles]).toEqual([['one rotated'], ['malformed a']])
  })

  it('does not let one who throws keep the others from hearing', () => {
    const { interest, troubles } = interested()
    const heard: string[] = []
    const thrower = (): void => {
      throw new Error('mine')
    }
    interest.add('a', { hear: thrower, uncertain: thrower })
    interest.add('a', listener(heard, 'two'))
    interest.hear('a', encodeText('x'))
    interest.lost('a')
    interest.restored('a')
    expect([heard, troubles]).toEqual([
      ['two text', 'two uncertain'],
      ['mine', 'mine'],
    ])
  })

  it('tells of uncertainty once, and only after a loss', () => {
    const { interest } = interested()
    const heard: string[] = []
    interest.add('a', listener(heard, 'one'))
    interest.restored('a')
    interest.lost('a')
    interest.lost('a')
    expect(heard).toEqual([])
    interest.restored('a')
    interest.restored('a')
    expect(heard).toEqual(['one uncertain'])
  })

  it('lets one who waits know how it ended: confirmed, refused, or nobody left', async () => {
    const { interest } = interested()
    const one = listener([], 'one')
    interest.add('a', one)
    const confirmed = interest.confirmation('a')
    interest.confirm('a')
    await expect(confirmed).resolves.toBeUndefined()
    const refused = interest.confirmation('a')
    interest.refuse('a', new Error('away'))
    await expect(refused).rejects.toThrow('away')
    const left = interest.confirmation('a')
    interest.remove('a', one)
    await expect(left).rejects.toMatchObject({ code: 'engine_unavailable' })
  })
})
