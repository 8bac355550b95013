import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { VARIABLES } from '../../packages/standalone/src/configuration.js'
import { type Running, type Workplace, createWorkplace } from '../cli/command.js'
import { SECRET } from '../kit/server-process.js'
import { ROOT, filesUnder } from '../source-tree.js'
import { type Compose, type Manifest, type Settings, deployed, parseDockerfile, parseYaml } from './manifests.js'

const READABLE = [...Object.values(VARIABLES), 'NODE_ENV']

const kubernetes = (name: string): Manifest => parseYaml<Manifest>(deployed(`kubernetes/${name}.yaml`))
const configMap = kubernetes('config-map')
const deployment = kubernetes('deployment')
const pod = deployment.spec.template.spec
const container = pod.containers[0]!
const compose = parseYaml<Compose>(deployed('compose.yaml'))
const dockerfile = parseDockerfile(deployed('Dockerfile'))
const final = dockerfile.slice(dockerfile.findLastIndex(({ word }) => word === 'FROM'))
const instruction = (word: string): string => final.find((one) => one.word === word)?.rest ?? ''

const composeSettings = parseYaml<Settings>(deployed('holdfast.yaml'))
const podSettings = parseYaml<Settings>(configMap.data?.['holdfast.yaml'] ?? '')

/** What a node needs to end, in seconds, with some to spare. */
const endingSeconds = ({ drain }: Settings): number => (drain.delayMs + drain.deadlineMs) / 1_000 + 5

describe('the settings that are shipped', () => {
  let place: Workplace
  let server: { url: string; running: Running }

  beforeAll(async () => {
    place = await createWorkplace({ HOLDFAST_SECRET: SECRET })
    server = await place.serve('--config', join(ROOT, 'deploy', 'holdfast.yaml'), '--host', '127.0.0.1')
  })

  afterAll(() => place.close())

  it('are those of a server that starts', async () => {
    expect((await fetch(`${server.url}/health/ready`)).status).toBe(200)
  })

  it('are the same for Compose and Kubernetes, but for what a drain takes', () => {
    expect({ ...podSettings, drain: undefined }).toEqual({ ...composeSettings, drain: undefined })
  })

  it('name pages over TLS, let programs in that show a token, and believe the proxy beside them', async () => {
    expect(composeSettings.origins).toMatchObject({ allow: [expect.stringMatching(/^https:/)], allowMissing: true })
    expect(composeSettings.trustedProxies).toEqual(['private'])
    const page = await fetch(`${server.url}/health/live`, {
      headers: { origin: composeSettings.origins.allow[0] ?? '' },
    })
    expect(page.headers.get('access-control-allow-origin')).toBe(composeSettings.origins.allow[0])
  })

  it('are asked for health where a node answers', async () => {
    const probes = [container.startupProbe, container.livenessProbe, container.readinessProbe]
    for (const { httpGet } of probes) {
      expect((await fetch(`${server.url}${httpGet.path}`)).status).toBe(200)
      expect(container.ports.map(({ name }) => name)).toContain(httpGet.port)
    }
    expect(container.livenessProbe.httpGet.path).toBe('/health/live')
    expect(container.startupProbe.httpGet.path).toBe('/health/live')
    expect(container.readinessProbe.httpGet.path).toBe('/health/ready')
  })

  it('have a health check of the image that says yes while a node lives, and no when there is none', async () => {
    const [, command = '[]'] = /CMD (\[.*\])$/.exec(instruction('HEALTHCHECK')) ?? []
    const [program = '', ...args] = JSON.parse(command) as string[]
    expect(program).toBe('node')
    const check = (port: string): Promise<number> =>
      promisify(execFile)(process.execPath, args, { env: { PORT: port } }).then(
        () => 0,
        ({ code }: { code: number }) => code,
      )
    expect(await check(new URL(server.url).port)).toBe(0)
    expect(await check('1')).toBe(1)
  })
})

describe('the image', () => {
  it('runs as somebody who is not root, by number', () => {
    const [user] = instruction('USER').split(':')
    expect(Number(user)).toBeGreaterThan(0)
  })

  it('is told to end with SIGTERM, and starts the program itself, so that it is told', () => {
    expect(instruction('STOPSIGNAL')).toBe('SIGTERM')
    const [program, script = ''] = JSON.parse(instruction('ENTRYPOINT')) as string[]
    expect(program).toBe('node')
    expect(existsSync(join(ROOT, script))).toBe(true)
  })

  it('sets only variables that the server reads', () => {
    const names = Array.from(instruction('ENV').matchAll(/(\w+)=/g), ([, name = '']) => name)
    expect(names.length).toBeGreaterThan(3)
    expect(names.filter((name) => !READABLE.includes(name))).toEqual([])
  })

  it('is built from what is there, every workspace among it', () => {
    const copied = dockerfile
      .filter(({ word, rest }) => word === 'COPY' && !rest.startsWith('--from'))
      .flatMap(({ rest }) => rest.split(' ').slice(0, -1))
    expect(copied.filter((path) => !existsSync(join(ROOT, path)))).toEqual([])
    const manifests = filesUnder('packages', 'package.json').map(({ path }) => path)
    expect(manifests.filter((path) => !copied.includes(path))).toEqual([])
    const ignored = deployed('Dockerfile.dockerignore').split('\n')
    const roots = new Set(copied.map((path) => path.split('/')[0]))
    expect([...roots].filter((root) => !ignored.includes(`!${root}`))).toEqual([])
  })
})

describe('the Compose file', () => {
  const nodes = ['holdfast-1', 'holdfast-2'].map((name) => compose.services[name]!)
  const { redis, haproxy } = compose.services

  it('gives a node longer to end than its drain takes', () => {
    for (const { stop_grace_period: grace = '' } of nodes) {
      expect(Number(/^(\d+)s$/.exec(grace)?.[1])).toBeGreaterThanOrEqual(endingSeconds(composeSettings))
    }
  })

  it('sets only variables that are read', () => {
    for (const { environment = {} } of nodes) {
      expect(Object.keys(environment).filter((name) => !READABLE.includes(name))).toEqual([])
    }
    const shipped = deployed('haproxy/haproxy.cfg')
    for (const [name, address] of Object.entries(haproxy?.environment ?? {})) {
      expect(shipped).toContain(`presetenv ${name} `)
      if (name.includes('NODE')) expect(compose.services).toHaveProperty(address.split(':')[0] ?? '')
    }
  })

  it('mounts files that are there, where the program looks', () => {
    const mounts = Object.values(compose.services).flatMap(({ volumes = [] }) => volumes)
    const files = mounts.filter((mount) => mount.startsWith('./')).map((mount) => mount.split(':')[0] ?? '')
    expect(files.length).toBeGreaterThan(2)
    expect(files.filter((path) => !existsSync(join(ROOT, 'deploy', path)))).toEqual([])
    for (const { command = [], volumes = [] } of nodes) {
      expect(volumes.map((mount) => mount.split(':')[1])).toContain(command.at(-1))
    }
    for (const { build } of nodes) {
      expect(existsSync(join(ROOT, 'deploy', build?.context ?? '', build?.dockerfile ?? ''))).toBe(true)
    }
  })

  it('has a Redis that keeps what was acknowledged, and refuses rather than drops', () => {
    const command = redis?.command ?? []
    const option = (name: string): string | undefined => command[command.indexOf(name) + 1]
    expect(option('--appendonly')).toBe('yes')
    expect(option('--appendfsync')).toBe('everysec')
    expect(option('--maxmemory-policy')).toBe('noeviction')
    expect(redis?.ports).toBeUndefined()
  })
})

describe('the manifests for Kubernetes', () => {
  it('give a node longer to end than its drain takes', () => {
    expect(pod.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(endingSeconds(podSettings))
  })

  it('notice that a node drains before it begins to send its clients away', () => {
    const { periodSeconds, failureThreshold } = container.readinessProbe
    expect(periodSeconds * failureThreshold * 1_000).toBeLessThan(podSettings.drain.delayMs)
  })

  it('have a new pod before an old one goes, one at a time', () => {
    expect(deployment.spec.strategy.rollingUpdate).toEqual({ maxSurge: 1, maxUnavailable: 0 })
    expect(kubernetes('pod-disruption-budget').spec.maxUnavailable).toBe(1)
  })

  it('run as somebody who is not root and may do nothing', () => {
    expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: 1000 })
    expect(instruction('USER')).toBe('1000:1000')
    expect(container.securityContext).toMatchObject({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    })
  })

  it('set only variables that the server reads, from a secret that the page says how to make', () => {
    expect(container.env.map(({ name }) => name).filter((name) => !READABLE.includes(name))).toEqual([])
    const page = deployed('README.md')
    for (const { valueFrom } of container.env) {
      expect(page).toContain(`kubectl create secret generic ${valueFrom.secretKeyRef.name}`)
      expect(page).toContain(`--from-literal=${valueFrom.secretKeyRef.key}=`)
    }
  })

  it('mount the settings where the program looks for them', () => {
    expect(pod.volumes.map(({ configMap: { name } }) => name)).toEqual([configMap.metadata.name])
    const [mount] = container.volumeMounts
    expect(container.args.at(-1)).toBe(`${mount?.mountPath}/${Object.keys(configMap.data ?? {})[0]}`)
    expect(container.ports[0]?.containerPort).toBe(podSettings.port)
  })

  it('mean the same pods', () => {
    const { labels } = deployment.spec.template.metadata
    expect(deployment.spec.selector.matchLabels).toEqual(labels)
    expect(kubernetes('pod-disruption-budget').spec.selector.matchLabels).toEqual(labels)
    expect(kubernetes('service').spec.selector).toEqual(labels)
    expect(kubernetes('service').spec.ports[0]?.targetPort).toBe(container.ports[0]?.name)
    expect(kubernetes('horizontal-pod-autoscaler').spec.scaleTargetRef).toMatchObject({
      kind: deployment.kind,
      name: deployment.metadata.name,
    })
  })
})
