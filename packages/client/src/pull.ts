/**
 * Makes an async iterable of a source that pushes. `start` receives `take`, whose promise settles when the consumer is done with the
 * item (it asks for the next, or leaves), and `end`; it returns the undo, called once at the end. Nothing starts before the first
 * item is asked for.
 */
export function pull<T>(
  start: (take: (item: T) => Promise<void>, end: () => void) => () => void,
): AsyncGenerator<T, void, undefined> {
  const items: { item: T; done: () => void }[] = []
  let wake = (): void => {}
  let isEnded = false
  const take = (item: T): Promise<void> =>
    new Promise((done) => {
      items.push({ item, done })
      wake()
    })
  const end = (): void => {
    isEnded = true
    wake()
  }
  async function* read(): AsyncGenerator<T, void, undefined> {
    const stop = start(take, end)
    try {
      while (!isEnded) {
        const next = items[0]
        if (next) yield next.item
        else await new Promise<void>((resolve) => (wake = resolve))
        if (next) items.shift()?.done()
      }
    } finally {
      stop()
      for (const { done } of items) done()
    }
  }
  return leavable(read(), end)
}

/** The same generator, but `return` calls `end` first: one that waits would take its leave only with the next item. */
export function leavable<T>(
  generator: AsyncGenerator<T, void, undefined>,
  end: () => void,
): AsyncGenerator<T, void, undefined> {
  const leave = generator.return.bind(generator)
  generator.return = (value) => (end(), leave(value))
  return generator
}
