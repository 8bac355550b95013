import { Holdfast, type StatusChange } from '@holdfast/client'
import { WebSocket } from 'ws'
import { localAuthority } from '../address.js'
import { type Configuration, loadConfiguration } from '../configuration.js'
import { COMMAND_LINE_USER, DEMO_TENANT } from '../demo/tenant.js'
import { EXIT, Failure, describeError } from '../failure.js'
import { requireSecret } from '../secret.js'
import type { Shell } from '../shell.js'
import { type Bearer, createTokenMint } from '../token-mint.js'

const TOKEN_TTL_S = 300

/** How the commands that talk to a server find it, and as whom. */
export interface RemoteOptions {
  /** Default: `HOLDFAST_URL`, else `/ws` on the port and host of the configuration. */
  readonly url?: string
  /** Default: `HOLDFAST_TOKEN`, else a token signed with the secret at hand. */
  readonly token?: string
  /** Default: `HOLDFAST_TENANT`, else `demo`. */
  readonly tenant?: string
  /** Default: `HOLDFAST_USER`, else `cli`. */
  readonly user?: string
  readonly config?: string
}

/** A client that is connected, and where to. */
export interface Remote {
  readonly client: Holdfast
  readonly url: string
  /** For messages: `user cli of tenant demo`. */
  readonly whom: string
}

/** Connects. Throws a `Failure` when the server cannot be reached or refuses; later losses are the client's to mend. */
export async function connect(options: RemoteOptions, shell: Shell, signal: AbortSignal): Promise<Remote> {
  const { env } = shell
  const tenant = options.tenant ?? (env['HOLDFAST_TENANT'] || DEMO_TENANT)
  const user = options.user ?? (env['HOLDFAST_USER'] || COMMAND_LINE_USER)
  const configuration = await loadConfiguration({ env, file: options.config })
  const { host, port, path } = configuration
  const url =
    options.url === undefined
      ? checkUrl('HOLDFAST_URL', env['HOLDFAST_URL'] || `ws://${localAuthority(host, port)}${path}`)
      : checkUrl('--url', options.url)
  const given = options.token ?? (env['HOLDFAST_TOKEN'] || undefined)
  const token = given ?? (await tokenSource(configuration, shell.cwd, { tenant, user, ttlSeconds: TOKEN_TTL_S }))
  const client = new Holdfast(url, { token, WebSocket, name: 'holdfast-cli', connect: false })
  await opened(client, signal, (change) => refusalOf(change, url, given === undefined))
  return { client, url, whom: given === undefined ? `user ${user} of tenant ${tenant}` : 'the owner of this token' }
}

/** A new token for each attempt: a command may run for days. */
async function tokenSource(configuration: Configuration, cwd: string, bearer: Bearer): Promise<() => string> {
  const secret = await requireSecret(configuration, cwd)
  const mint = createTokenMint(secret, configuration.auth)
  // What cannot be in a token is said now, not at the first attempt.
  mint(bearer)
  return () => mint(bearer)
}

function checkUrl(source: string, url: string): string {
  if (URL.canParse(url) && /^wss?:$/.test(new URL(url).protocol)) return url
  throw new Failure(
    `${source} must be an address such as ws://127.0.0.1:8000/ws, received ${JSON.stringify(url)}`,
    EXIT.usage,
  )
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
function refusalOf({ state, reason, code = NO_ANSWER }: StatusChange, url: string, ownToken: boolean): string {
  if (state === 'waiting' && code === NO_ANSWER) {
    return `cannot reach ${url} (${reason || 'no answer'}). Start a server with: npx holdfast serve`
  }
  return `${url} refused: ${reason}${ownToken && reason === 'Invalid authentication token' ? `. ${OTHER_SECRET}` : ''}`
}

const OTHER_SECRET =
  'The server has another secret: run this in the directory it was started in, or set its HOLDFAST_SECRET, or give a --token'

/** Throws what a command line should say of a refusal by the server. */
export function refused(what: string, error: unknown): Failure {
  const code = (error as { code?: unknown }).code
  return new Failure(`${what}: ${describeError(error)}${typeof code === 'string' ? ` (${code})` : ''}`)
}
