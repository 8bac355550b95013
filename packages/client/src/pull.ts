/**
 * Makes an async iterator of a source that pushes. `start` receives `take`, whose promise settles when the consumer is done with the
 * item (it asks for the next, or leaves), and `end`; it returns the undo, called once at the end. Nothing starts before the first
 * item is asked for.
 */
export function pull<T>(
  start: (take: (item: T) => Promise<void>, end: () => void) => () => void,
): AsyncIterableIterator<T> {
  const items: { item: T; done: () => void }[] = []
  const waiting: ((result: IteratorResult<T>) => void)[] = []
  let current: (() => void) | undefined
  let stop: (() => void) | undefined
  let ended = false

  const take = (item: T): Promise<void> =>
    new Promise((done) => {
      if (ended) return done()
      items.push({ item, done })
      hand()
    })

  const hand = (): void => {
    const next = waiting.length > 0 ? items.shift() : undefined
    if (!next) return
    current = next.done
    waiting.shift()?.({ value: next.item, done: false })
  }

  const end = (): void => {
    if (ended) return
    ended = true
    stop?.()
    current?.()
    for (const { done } of items.splice(0)) done()
    for (const tell of waiting.splice(0)) tell({ value: undefined, done: true })
  }

  return {
    next() {
      current?.()
      current = undefined
      if (ended) return Promise.resolve({ value: undefined, done: true })
      return new Promise((resolve) => {
        waiting.push(resolve)
        stop ??= start(take, end)
        hand()
      })
    },
    return() {
      end()
      return Promise.resolve({ value: undefined, done: true })
    },
    [Symbol.asyncIterator]() {
      return this
    },
  }
}
