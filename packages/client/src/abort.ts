import { HoldfastError } from './errors.js'

/** A promise whose work can be given up through an AbortSignal; it then rejects with `aborted`. */
export function abortable<T>(
  signal: AbortSignal | undefined,
  start: (resolve: (value: T) => void, reject: (error: unknown) => void) => () => void,
): Promise<T> {
  return new Promise((resolve, reject) => {
    let cancel = (): void => {}
    const abort = (): void => {
      cancel()
      reject(new HoldfastError('aborted', 'Aborted', { cause: signal?.reason }))
    }
    if (signal?.aborted) return abort()
    const settled = (): void => signal?.removeEventListener('abort', abort)
    // It fires once.
    signal?.addEventListener('abort', abort)
    cancel = start(
      (value) => (settled(), resolve(value)),
      (error) => (settled(), reject(error)),
    )
  })
}
