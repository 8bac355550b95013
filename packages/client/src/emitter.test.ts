import { expect, it } from 'vitest'
import { Emitter } from './emitter.js'

interface Events {
  one: number
  two: string
}

it('calls listeners in the order in which they came, until their undo', () => {
  const heard: string[] = []
  const emitter = new Emitter<Events>(() => {})
  const listener = (value: number): void => void heard.push(`a${value}`)
  const offs = [
    emitter.on('one', listener),
    emitter.on('one', (value) => heard.push(`b${value}`)),
    emitter.on('one', listener),
  ]
  void emitter.emit('one', 1)
  offs[0]!()
  offs[0]!()
  void emitter.emit('one', 2)
  expect(heard).toEqual(['a1', 'b1', 'a1', 'b2', 'a2'])
  for (const off of offs) off()
  expect([emitter.has('one'), emitter.has()]).toEqual([false, false])
})

it('reports what throws or rejects, and goes on; its promise settles after all of theirs', async () => {
  const reported: unknown[] = []
  const emitter = new Emitter<Events>((error) => reported.push(error))
  emitter.on('two', () => {
    throw new Error('thrown')
  })
  emitter.on('two', () => Promise.reject(new Error('rejected')))
  emitter.on('two', (value) => value)
  await emitter.emit('two', 'x')
  expect(reported).toEqual([new Error('thrown'), new Error('rejected')])
  expect(emitter.emit('one', 1)).toBeUndefined()
})
