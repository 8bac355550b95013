import { WebSocket } from 'ws'
import { type Clock, within } from '../../clock.js'
import { describeError } from '../../failure.js'
import type { Shell } from '../../shell.js'
import { VERSION } from '../../version.js'
import { connect } from '../remote.js'
import { type RemoteOptions, type ServerAccess, findServer } from '../server-access.js'
import { type Finding, clockFinding, fail, ok, warn } from './finding.js'

const ANSWER_MS = 5_000

/** What was found of the server, and whether one answers at all. */
export interface ServerLook {
  readonly isThere: boolean
  readonly findings: readonly Finding[]
}

/** Looks at the server that the commands of this place would talk to. */
export async function serverFindings(options: RemoteOptions, shell: Shell, clock: Clock): Promise<ServerLook> {
  const isNamed = options.url !== undefined || Boolean(shell.env['HOLDFAST_URL'])
  let access: ServerAccess
  try {
    access = await findServer(options, shell)
  } catch (error) {
    return {
      isThere: false,
      findings: [fail('server', describeError(error), 'Mend what the message names, or give --url and --token')],
    }
  }
  const live = await get(access.origin, '/health/live').catch((error: unknown) =>
    describeError((error as Error).cause ?? error),
  )
  if (typeof live === 'string' || !live.ok) {
    const message = `no server answers at ${access.origin} (${typeof live === 'string' ? live : `HTTP ${live.status}`})`
    const remedy = 'Start one with: npx holdfast serve; or say where it is with HOLDFAST_URL'
    return { isThere: false, findings: [(isNamed ? fail : warn)('server', message, remedy)] }
  }
  const findings = [
    ok('server', `${access.origin} answers`),
    ...clockOf(live, clock),
    await readyFinding(access),
    await versionFinding(access),
    await upgradeFinding(access, clock),
    await tokenFinding(options, shell),
  ]
  return { isThere: true, findings }
}

function get(origin: string, path: string): Promise<Response> {
  return fetch(new URL(path, origin), { signal: AbortSignal.timeout(ANSWER_MS) })
}

/** The header tells whole seconds. */
function clockOf({ headers }: Response, clock: Clock): readonly Finding[] {
  const at = Date.parse(headers.get('date') ?? '')
  return Number.isNaN(at) ? [] : [clockFinding('server clock', 'the clock of the server', at + 500 - clock.now())]
}

async function readyFinding({ origin }: ServerAccess): Promise<Finding> {
  const check = 'server ready'
  try {
    const answer = await get(origin, '/health/ready')
    const { engine, reason } = (await answer.json()) as { engine?: string; reason?: string }
    if (answer.ok) return ok(check, engine === undefined ? 'yes' : `yes, with the engine ${engine}`)
    return fail(check, `no: ${reason ?? `HTTP ${answer.status}`}`, 'See its log; while its engine is away, start that')
  } catch (error) {
    return fail(check, describeError(error), 'See its log')
  }
}

async function versionFinding({ origin }: ServerAccess): Promise<Finding> {
  const check = 'server version'
  const document = await get(origin, '/api/v1/openapi.json')
    .then((answer) => answer.json() as Promise<{ info?: { version?: string } }>)
    .catch(() => undefined)
  const version = document?.info?.version
  if (version === undefined) return warn(check, 'it does not tell', 'Is /api/v1 passed on by the proxy before it?')
  if (version === VERSION) return ok(check, version)
  return warn(check, `${version}; this command line is ${VERSION}`, `Use npx holdfast@${version}, or update the server`)
}

/** Whether the request for a WebSocket comes through: what stands between may take it for any other. */
async function upgradeFinding({ url, credential }: ServerAccess, clock: Clock): Promise<Finding> {
  const check = 'WebSocket'
  const socket = new WebSocket(url, {
    headers: { authorization: `Bearer ${credential()}` },
    handshakeTimeout: ANSWER_MS,
  })
  const tried = new Promise<Finding>((resolve) => {
    socket.once('open', () => resolve(ok(check, `${url} opens`)))
    socket.once('error', (error) => resolve(fail(check, `${url}: ${error.message}`, PASS_UPGRADES)))
    socket.once('unexpected-response', (_request, { statusCode = 0 }) => resolve(refusedUpgrade(url, statusCode)))
  })
  const finding = await within(clock, ANSWER_MS + 1_000, tried)
  socket.on('error', () => {})
  socket.terminate()
  return finding ?? fail(check, `${url} does not answer`, PASS_UPGRADES)
}

const PASS_UPGRADES =
  'Let the proxy pass on Upgrade and Connection (nginx: proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade")'

function refusedUpgrade(url: string, status: number): Finding {
  const message = `${url} answers HTTP ${status} in place of opening`
  if (status === 403)
    return warn(
      'WebSocket',
      message,
      'It takes no clients without an origin; allow them with origins.allowMissing, or HOLDFAST_ORIGINS=…,missing',
    )
  if (status === 503) return fail('WebSocket', message, 'It takes nobody now: it is full, or drains')
  return fail('WebSocket', message, PASS_UPGRADES)
}

async function tokenFinding(options: RemoteOptions, shell: Shell): Promise<Finding> {
  try {
    const { client, whom } = await connect(options, shell, AbortSignal.timeout(ANSWER_MS))
    client.disconnect()
    return ok('token', `taken, as ${whom}`)
  } catch (error) {
    return fail(
      'token',
      describeError(error),
      'Make one with holdfast token where the server was started, or give --token',
    )
  }
}
