import { MessageChannel } from 'node:worker_threads'

/** The outcome of `task`. The process does not end before: what is waited for may be timers alone, and those of our clock keep no process alive. */
export async function whileAwake<T>(task: () => Promise<T>): Promise<T> {
  const { port1 } = new MessageChannel()
  port1.ref()
  try {
    return await task()
  } finally {
    port1.close()
  }
}
