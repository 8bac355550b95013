import { HoldfastError } from './errors.js'

/** A promise whose work can be given up through an AbortSignal; it then rejects with `aborted`. */
export function abortable<T>(
  signal: AbortSignal | undefined,
  start: (resolve: (value: T) => void, reject: (error: unknown) => void) => () => void,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const aborted = (): HoldfastError => new HoldfastError('aborted', 'Aborted', { cause: signal?.reason })
    if (signal?.aborted) return reject(aborted())
    let cancel = (): void => {}
    const onAbort = (): void => {
      cancel()
      reject(aborted())
    }
    const settled = (): void => signal?.removeEventListener('abort', onAbort)
    // It fires once.
    signal?.addEventListener('abort', onAbort)
    cancel = start(
      (value) => (settled(), resolve(value)),
      (error) => (settled(), reject(error)),
    )
  })
}
