import { describe, expect, it } from 'vitest'
import { chooseEngine, engineName, isShared, namesEngine } from './engine-choice.js'

describe('the engine', () => {
  it('is memory in development, unless a data directory was named', () => {
    expect(chooseEngine({ environment: 'development' })).toBe('memory')
    expect(chooseEngine({ environment: 'development', dataDir: 'data' })).toEqual({ disk: 'data/engine' })
  })

  it.each(['staging', 'production'] as const)('is disk in %s, where state has to survive', (environment) => {
    expect(chooseEngine({ environment })).toEqual({ disk: '.holdfast/engine' })
    expect(chooseEngine({ environment, dataDir: '/data' })).toEqual({ disk: '/data/engine' })
  })

  it('is what was named, wherever', () => {
    const environment = 'production'
    expect(chooseEngine({ environment, engine: 'memory' })).toBe('memory')
    expect(chooseEngine({ environment, engine: 'redis://a:1' })).toEqual({ redis: 'redis://a:1' })
    const sentinel = { redis: { mode: 'sentinel', master: 'main', servers: [] } }
    expect(chooseEngine({ environment, engine: sentinel, dataDir: '/data' })).toBe(sentinel)
  })

  it('has a name for people, and is shared between processes or not', () => {
    expect(engineName('memory')).toBe('memory')
    expect(engineName({ disk: 'x' })).toBe('disk')
    expect(engineName({ redis: 'redis://a' })).toBe('redis')
    expect([isShared('memory'), isShared({ disk: 'x' }), isShared({ redis: 'y' })]).toEqual([false, false, true])
  })

  it('is named by a word or an address of Redis', () => {
    const good = [
      'memory',
      'disk',
      'redis://h',
      'rediss://u:p@h:1/2',
      'redis+sentinel://a:1,b:2/main',
      'redis+cluster://a:1',
    ]
    expect(good.filter((text) => !namesEngine(text))).toEqual([])
    expect(['', 'redis', 'redis://', 'http://h', 'Disk', 'redis:/h'].filter(namesEngine)).toEqual([])
  })
})
