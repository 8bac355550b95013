import { localAuthority } from '../address.js'
import { type Configuration, loadConfiguration } from '../configuration.js'
import { COMMAND_LINE_USER, DEMO_TENANT } from '../demo/tenant.js'
import { EXIT, Failure } from '../failure.js'
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

/** What a token that is made here says besides tenant and user. */
export type Rights = Pick<Bearer, 'permissions' | 'grants'>

/** Where the server is, and with which credential. */
export interface ServerAccess {
  /** `ws://127.0.0.1:8000/ws` */
  readonly url: string
  /** `http://127.0.0.1:8000` */
  readonly origin: string
  readonly tenant: string
  readonly user: string
  /** For messages: `user cli of tenant demo`. */
  readonly whom: string
  /** Whether tokens are made here, with the secret at hand. */
  readonly ownToken: boolean
  /** The credential; a new one each time where it is made here, because a command may run for days. */
  readonly credential: () => string
  readonly configuration: Configuration
}

/** Finds out where the server is and makes a credential. Throws a `Failure` that names what is wrong. */
export async function findServer(options: RemoteOptions, shell: Shell, rights: Rights = {}): Promise<ServerAccess> {
  const { env } = shell
  const tenant = options.tenant ?? (env['HOLDFAST_TENANT'] || DEMO_TENANT)
  const user = options.user ?? (env['HOLDFAST_USER'] || COMMAND_LINE_USER)
  const configuration = await loadConfiguration({ env, file: options.config })
  const url = addressOf(options, env, configuration)
  const given = options.token ?? (env['HOLDFAST_TOKEN'] || undefined)
  const bearer = { tenant, user, ttlSeconds: TOKEN_TTL_S, ...rights }
  const credential = given === undefined ? await tokenSource(configuration, shell.cwd, bearer) : () => given
  return {
    url,
    origin: new URL(url).origin.replace(/^ws/, 'http'),
    tenant,
    user,
    whom: given === undefined ? `user ${user} of tenant ${tenant}` : 'the owner of this token',
    ownToken: given === undefined,
    credential,
    configuration,
  }
}

function addressOf({ url }: RemoteOptions, env: NodeJS.ProcessEnv, { host, port, path }: Configuration): string {
  if (url !== undefined) return webSocketUrl('--url', url, path)
  return webSocketUrl('HOLDFAST_URL', env['HOLDFAST_URL'] || `ws://${localAuthority(host, port)}${path}`, path)
}

/** The address as it is; where it is that of the site, as `curl` takes it, the WebSocket of the site. */
function webSocketUrl(source: string, text: string, path: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url && /^wss?:$/.test(url.protocol)) return text
  if (url && /^https?:$/.test(url.protocol))
    return `${url.origin.replace(/^http/, 'ws')}${url.pathname === '/' ? path : url.pathname}`
  throw new Failure(
    `${source} must be an address such as ws://127.0.0.1:8000/ws or http://127.0.0.1:8000, received ${JSON.stringify(text)}`,
    EXIT.usage,
  )
}

async function tokenSource(configuration: Configuration, cwd: string, bearer: Bearer): Promise<() => string> {
  const secret = await requireSecret(configuration, cwd)
  const mint = createTokenMint(secret, configuration.auth)
  // What cannot be in a token is said now, not at the first attempt.
  mint(bearer)
  return () => mint(bearer)
}

/** What to do about a server that is not there. */
export function unreachable(url: string, reason: string): string {
  return `cannot reach ${url} (${reason || 'no answer'}). Start a server with: npx holdfast serve`
}

/** What to do about a token that was made here and is not taken. */
export const OTHER_SECRET =
  'The server has another secret: run this in the directory it was started in, or set its HOLDFAST_SECRET, or give a --token'
