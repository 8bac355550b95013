import { type RedisEngineOptions, redisOptions } from '@holdfast/server'
import type { Clock } from '../../clock.js'
import { type Finding, clockFinding, fail, ok, warn } from './finding.js'
import { type Asked, type RedisAddress, type RedisQuestioner, questioner } from './redis-questioner.js'

const SLOW_MS = 5

/** Looks at the Redis that the configuration names: the server; the sentinels and the master that they name; or the masters of the cluster. */
export async function redisFindings(redis: unknown, clock: Clock): Promise<readonly Finding[]> {
  const options = typeof redis === 'string' ? redisOptions(redis) : (redis as RedisEngineOptions)
  const { mode = 'single', servers } = options
  const ask = questioner(options, clock)
  if (mode === 'sentinel') return sentinelFindings(options, ask, clock)
  if (mode === 'cluster') return clusterFindings(servers, ask, clock)
  return (await Promise.all(servers.map((server) => storeFindings(server, ask, clock, 'standalone')))).flat()
}

const nameOf = ({ host, port }: RedisAddress): string => `Redis ${host}:${port}`

/** What a server has to be that keeps messages. */
async function storeFindings(
  address: RedisAddress,
  ask: RedisQuestioner,
  clock: Clock,
  expected: 'standalone' | 'cluster',
): Promise<readonly Finding[]> {
  const check = nameOf(address)
  const asked = await ask(address, async (redis) => {
    const info = fieldsOf(await redis.text('INFO'))
    const wrong = versionFinding(check, info) ?? kindFinding(check, info, expected)
    if (wrong) return [wrong]
    const askedAt = clock.now()
    const [seconds = '0', micros = '0'] = await redis.list('TIME')
    const latencyMs = clock.now() - askedAt
    const skewMs = Number(seconds) * 1000 + Number(micros) / 1000 - (askedAt + latencyMs / 2)
    return [
      ok(check, versionOf(info)),
      latencyFinding(check, latencyMs),
      clockFinding(`${check} clock`, 'its clock', skewMs),
      memoryPolicy(check, info.get('maxmemory_policy')),
      appendOnly(check, info.get('aof_enabled')),
    ]
  })
  return asked.answer ?? [asked.finding]
}

type Fields = ReadonlyMap<string, string>

/** The lines `name:value` of what a server tells of itself. */
function fieldsOf(text: string): Fields {
  const lines = text.split(/\r?\n/).filter((line) => line.includes(':'))
  return new Map(lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]))
}

function versionOf(info: Fields): string {
  const valkey = info.get('valkey_version')
  return valkey === undefined ? `Redis ${info.get('redis_version') ?? '0'}` : `Valkey ${valkey}`
}

function versionFinding(check: string, info: Fields): Finding | undefined {
  if (info.has('valkey_version') || Number.parseInt(info.get('redis_version') ?? '0') >= 7) return undefined
  return fail(check, `${versionOf(info)} is too old`, 'Use Redis 7.0 or newer, or Valkey')
}

/** One that answers, and is not what the address says. */
function kindFinding(check: string, info: Fields, expected: 'standalone' | 'cluster'): Finding | undefined {
  const kind = info.get('redis_mode') ?? info.get('server_mode') ?? expected
  if (kind === 'sentinel')
    return fail(check, 'is a sentinel', 'Name it so in REDIS_URL: redis+sentinel://host:26379,host:26379/master')
  if (kind === 'cluster' && expected === 'standalone')
    return fail(check, 'belongs to a cluster', 'Name it so in REDIS_URL: redis+cluster://host:6379,host:6379')
  if (kind === 'standalone' && expected === 'cluster')
    return fail(check, 'belongs to no cluster', 'Name it so in REDIS_URL: redis://host:6379')
  if (info.get('role') !== 'slave' || expected === 'cluster') return undefined
  const master = `${info.get('master_host') ?? '?'}:${info.get('master_port') ?? '?'}`
  return fail(check, `is a replica of ${master} and takes no messages`, `Name its master in REDIS_URL: ${master}`)
}

function latencyFinding(check: string, ms: number): Finding {
  const name = `${check} latency`
  if (ms <= SLOW_MS) return ok(name, `${ms} ms`)
  return warn(name, `${ms} ms for one answer`, 'Place it in the same network: every message waits for it once')
}

function memoryPolicy(check: string, policy: string | undefined): Finding {
  const name = `${check} memory policy`
  if (policy === undefined || policy === 'noeviction') return ok(name, policy ?? 'not told')
  return warn(name, `${policy}: when its memory is full it removes messages`, 'CONFIG SET maxmemory-policy noeviction')
}

function appendOnly(check: string, enabled: string | undefined): Finding {
  const name = `${check} persistence`
  if (enabled !== '0') return ok(name, enabled === '1' ? 'append-only file' : 'not told')
  return warn(name, 'acknowledged messages can be lost when it restarts; readers are told', 'CONFIG SET appendonly yes')
}

/** What one sentinel knows. */
interface Watcher {
  readonly version: string
  /** Of the master, if it knows that name. */
  readonly master: RedisAddress | undefined
  /** The names that it knows. */
  readonly names: readonly string[]
  /** Why the sentinels could not replace a master now. */
  readonly problem: string | undefined
}

async function sentinelFindings(
  { servers, master = '' }: RedisEngineOptions,
  ask: RedisQuestioner,
  clock: Clock,
): Promise<readonly Finding[]> {
  const all = await Promise.all(
    servers.map(async (address) => ({ address, asked: await ask(address, (redis) => watcherOf(redis, master), true) })),
  )
  const some = all.some(({ asked }) => asked.answer)
  const findings = all.map(({ address, asked }) =>
    asked.finding
      ? lesser(asked.finding, some)
      : watcherFinding(`Sentinel ${address.host}:${address.port}`, asked.answer, master),
  )
  const named = all.flatMap(({ asked }) => asked.answer?.master ?? [])
  const masters = new Map(named.map((address) => [nameOf(address), address]))
  if (masters.size > 1)
    findings.push(
      warn(
        'Redis master',
        `the sentinels name several: ${[...masters.keys()].join(', ')}`,
        'Ask again in a minute; if they still do, see SENTINEL MASTERS of each',
      ),
    )
  const stores = await Promise.all(
    [...masters.values()].map((address) => storeFindings(address, ask, clock, 'standalone')),
  )
  return [...findings, ...stores.flat()]
}

async function watcherOf(redis: Asked, master: string): Promise<Watcher> {
  const version = versionOf(fieldsOf(await redis.text('INFO', 'server')))
  const [host, port] = await redis.list('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', master)
  if (host !== undefined && port !== undefined) {
    const problem = await redis.text('SENTINEL', 'CKQUORUM', master).then(
      () => undefined,
      (error: Error) => error.message.replace(/^\w+ /, ''),
    )
    return { version, master: { host, port: Number(port) }, names: [], problem }
  }
  const names = fieldsOf(await redis.text('INFO', 'sentinel'))
  const known = [...names].flatMap(([name, text]) =>
    /^master\d/.test(name) ? (/name=([^,]*)/.exec(text)?.[1] ?? []) : [],
  )
  return { version, master: undefined, names: known, problem: undefined }
}

function watcherFinding(check: string, { version, master, names, problem }: Watcher, name: string): Finding {
  if (!master) {
    const known = names.length > 0 ? `it knows ${names.join(', ')}` : 'it knows none'
    return fail(check, `knows no master "${name}"; ${known}`, 'Mend the name behind the last / of REDIS_URL')
  }
  if (problem !== undefined)
    return warn(
      check,
      `could not replace the master now: ${problem}`,
      'Start the other sentinels and the servers that they watch',
    )
  return ok(check, `${version}, names ${master.host}:${master.port}`)
}

/** One that is away is no failure where another answers. */
function lesser({ check, state, message, remedy = '' }: Finding, isLess: boolean): Finding {
  return isLess ? warn(check, message, remedy) : { check, state, message, remedy }
}

/** A server as the cluster lists it. */
interface Member {
  readonly id: string
  readonly address: RedisAddress
  readonly isMaster: boolean
  readonly isDown: boolean
  /** The master that it follows. */
  readonly follows: string
  readonly hasSlots: boolean
}

async function clusterFindings(
  servers: readonly RedisAddress[],
  ask: RedisQuestioner,
  clock: Clock,
): Promise<readonly Finding[]> {
  const all = await Promise.all(servers.map((address) => ask(address, (redis) => viewOf(redis, address))))
  const view = all.find(({ answer }) => answer)?.answer
  const away = all.flatMap(({ finding }) => (finding ? [lesser(finding, view !== undefined)] : []))
  // None is a member, or none answers.
  if (!view) return away.length > 0 ? away : []
  if (!view.members) return (await Promise.all(servers.map((one) => storeFindings(one, ask, clock, 'cluster')))).flat()
  const masters = view.members.filter(({ isMaster, hasSlots }) => isMaster && hasSlots)
  const stores = await Promise.all(
    masters.filter(({ isDown }) => !isDown).map(({ address }) => storeFindings(address, ask, clock, 'cluster')),
  )
  return [wholeness(view.info, masters), ...away, ...replicaFindings(view.members, masters), ...stores.flat()]
}

async function viewOf(
  redis: Asked,
  asked: RedisAddress,
): Promise<{ readonly info: Fields; readonly members: readonly Member[] | undefined }> {
  const info = fieldsOf(await redis.text('INFO', 'cluster'))
  if (info.get('cluster_enabled') !== '1') return { info, members: undefined }
  const text = await redis.text('CLUSTER', 'NODES')
  const members = text.split('\n').flatMap((line) => (line.trim() === '' ? [] : [memberOf(line, asked)]))
  return { info: fieldsOf(await redis.text('CLUSTER', 'INFO')), members }
}

/** One line of `CLUSTER NODES`: id, address@bus, flags, master, ping, pong, epoch, link, slots. */
function memberOf(line: string, asked: RedisAddress): Member {
  const [id = '', at = '', flags = '', follows = '', , , , , ...slots] = line.trim().split(' ')
  const place = at.split('@')[0]!
  // A server that was told nothing of its own address leaves it out.
  const host = place.slice(0, place.lastIndexOf(':')) || asked.host
  const port = Number(place.slice(place.lastIndexOf(':') + 1))
  const words = flags.split(',')
  return {
    id,
    address: { host, port },
    isMaster: words.includes('master'),
    isDown: words.includes('fail') || words.includes('noaddr'),
    follows,
    hasSlots: slots.some((slot) => !slot.startsWith('[')),
  }
}

const SLOTS = 16_384

function wholeness(info: Fields, masters: readonly Member[]): Finding {
  const check = 'Redis cluster'
  const down = masters.filter(({ isDown }) => isDown).map(({ address }) => nameOf(address))
  const served = Number(info.get('cluster_slots_ok') ?? 0)
  const state = info.get('cluster_state')
  if (state === 'ok' && served === SLOTS && down.length === 0) return ok(check, `whole, ${masters.length} masters`)
  const why = down.length > 0 ? `${down.join(', ')} away without a replica in its place` : `state ${state ?? 'unknown'}`
  return fail(
    check,
    `${served} of ${SLOTS} slots are served: ${why}`,
    'Start what is away, or give its slots to others: redis-cli --cluster fix host:port',
  )
}

function replicaFindings(members: readonly Member[], masters: readonly Member[]): readonly Finding[] {
  const followed = new Set(members.filter(({ isMaster, isDown }) => !isMaster && !isDown).map(({ follows }) => follows))
  const alone = masters.filter(({ id, isDown }) => !isDown && !followed.has(id)).map(({ address }) => nameOf(address))
  if (alone.length === 0) return []
  const remedy = 'Give each a replica: redis-cli --cluster add-node new:port any:port --cluster-slave'
  return [warn('Redis replicas', `none takes the place of ${alone.join(', ')}`, remedy)]
}
