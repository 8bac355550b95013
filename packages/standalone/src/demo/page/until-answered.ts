import { HoldfastError } from '@holdfast/client'

/** How often something is asked, when its answers get lost. */
const TRIES_MAX = 5

/** Asks for something that is done once, however often it is asked for: again where the line broke before its answer, which the client leaves to whoever knows that. */
export async function untilAnswered<T>(ask: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await ask()
    } catch (error) {
      if (!isAnswerLost(error) || tries === TRIES_MAX) throw error
    }
  }
}

function isAnswerLost(error: unknown): boolean {
  return error instanceof HoldfastError && error.retryable && ['disconnected', 'timeout'].includes(error.code)
}
