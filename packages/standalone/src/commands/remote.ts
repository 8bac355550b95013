import { Holdfast, type StatusChange } from '@holdfast/client'
import { WebSocket } from 'ws'
import { EXIT, Failure, describeError } from '../failure.js'
import type { Shell } from '../shell.js'
import {
  findServer,
  OTHER_SECRET,
  type RemoteOptions,
  type Rights,
  type ServerAccess,
  unreachable,
} from './server-access.js'

/** A client that is connected, and where to. */
export interface Remote extends ServerAccess {
  readonly client: Holdfast
}

/** Connects. Throws a `Failure` when the server cannot be reached or refuses; later losses are the client's to mend. */
export async function connect(
  options: RemoteOptions,
  shell: Shell,
  signal: AbortSignal,
  rights: Rights = {},
): Promise<Remote> {
  const access = await findServer(options, shell, rights)
  const client = clientOf(access)
  await opened(client, signal, (change) => refusalOf(change, access))
  return { ...access, client }
}

/** A client of this server that does not connect yet. */
export function clientOf({ url, credential }: ServerAccess): Holdfast {
  return new Holdfast(url, { token: credential, WebSocket, name: 'holdfast-cli', connect: false })
}

function opened(client: Holdfast, signal: AbortSignal, explain: (change: StatusChange) => string): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (failure?: Failure): void => {
      off()
      signal.removeEventListener('abort', interrupt)
      if (failure === undefined) return resolve()
      client.disconnect()
      reject(failure)
    }
    const interrupt = (): void => settle(new Failure('interrupted', EXIT.interrupted))
    const off = client.on('state', (change: StatusChange) => {
      if (change.state === 'open') settle()
      else if (change.state !== 'connecting') settle(new Failure(explain(change)))
    })
    signal.addEventListener('abort', interrupt, { once: true })
    if (signal.aborted) interrupt()
    else client.connect()
  })
}

const NO_ANSWER = 1006

/** What keeps a command out: nobody there, another secret, or what the server said. */
function refusalOf({ state, reason, code = NO_ANSWER }: StatusChange, { url, ownToken }: ServerAccess): string {
  if (state === 'waiting' && code === NO_ANSWER) return unreachable(url, reason)
  return `${url} refused: ${reason}${ownToken && reason === 'Invalid authentication token' ? `. ${OTHER_SECRET}` : ''}`
}

/** Throws what a command line should say of a refusal by the server. */
export function refused(what: string, error: unknown): Failure {
  const code = (error as { code?: unknown }).code
  return new Failure(`${what}: ${describeError(error)}${typeof code === 'string' ? ` (${code})` : ''}`)
}
