import { describe, expect, it } from 'vitest'
import { SimulatedClock } from '../simulated-clock.js'
import { EventStreamBody } from './event-stream-body.js'

interface Made {
  readonly body: EventStreamBody
  readonly clock: SimulatedClock
  readonly told: string[]
  read(): Promise<string | undefined>
}

function make(): Made {
  const clock = new SimulatedClock()
  const told: string[] = []
  const tell = (what: string) => () => void told.push(what)
  const events = { taken: () => undefined, drained: tell('drained'), over: tell('over') }
  const body = new EventStreamBody({ clock, events, abandon: tell('abandoned') })
  const reader = body.stream.getReader()
  const read = async (): Promise<string | undefined> => {
    const { value } = await reader.read()
    return value && Buffer.from(value).toString()
  }
  return { body, clock, told, read }
}

describe('the body of an event stream', () => {
  it('counts what was not taken, and says when that is little again', async () => {
    const { body, told, read } = make()
    body.write(Buffer.alloc(65_536))
    expect([body.pendingBytes, body.isReady()]).toEqual([65_536, false])
    await read()
    expect([body.pendingBytes, body.isReady(), told]).toEqual([0, true, ['drained']])
  })

  it('joins what was written before it was asked for', async () => {
    const { body, read } = make()
    for (const text of ['a', 'b', 'c']) body.write(Buffer.from(text))
    expect(await read()).toBe('abc')
    const next = read()
    body.write(Buffer.from('d'))
    expect(await next).toBe('d')
  })

  it('ends behind what was written', async () => {
    const { body, told, read } = make()
    body.write(Buffer.from('last'))
    body.end()
    body.write(Buffer.from('too late'))
    expect([await read(), told]).toEqual(['last', []])
    expect([await read(), told]).toEqual([undefined, ['over']])
  })

  it('is cut off 4 seconds after its end, when nobody takes what is left', async () => {
    const { body, clock, told } = make()
    body.write(Buffer.from('last'))
    body.end()
    await clock.pass(3_999)
    expect(told).toEqual([])
    await clock.pass(1)
    expect(told).toEqual(['over', 'abandoned'])
    expect(body.pendingBytes).toBe(0)
  })

  it('is over at once when its reader leaves, and when it is cut', async () => {
    const left = make()
    left.body.write(Buffer.from('x'))
    left.body.leave()
    expect([left.told, left.body.pendingBytes]).toEqual([['over'], 0])
    const cut = make()
    cut.body.cut()
    cut.body.cut()
    expect([await cut.read(), cut.told]).toEqual([undefined, ['over']])
  })
})
