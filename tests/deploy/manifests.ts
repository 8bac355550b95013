import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseAllDocuments } from 'yaml'
import { ROOT } from '../source-tree.js'

/** The text of a file under `deploy/`. */
export function deployed(path: string): string {
  return readFileSync(join(ROOT, 'deploy', path), 'utf8')
}

/** The one document of a YAML text. Throws where it is not valid, and where there are several. */
export function parseYaml<T>(text: string): T {
  const documents = parseAllDocuments(text, { merge: true, uniqueKeys: true })
  const [document] = documents
  if (!document || !('toJS' in document) || documents.length !== 1) throw new Error('expected one document')
  if (document.errors[0]) throw document.errors[0]
  return document.toJS() as T
}

/** What the files of settings say about the end of a node. */
export interface Settings {
  readonly port: number
  readonly origins: { readonly allow: readonly string[] }
  readonly trustedProxies: readonly string[]
  readonly drain: { readonly delayMs: number; readonly windowMs: number; readonly deadlineMs: number }
}

/** A Compose file, as far as the tests look. */
export interface Compose {
  readonly services: Readonly<Record<string, ComposeService>>
}

interface ComposeService {
  readonly build?: { readonly context: string; readonly dockerfile: string }
  readonly image: string
  readonly command?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  readonly volumes?: readonly string[]
  readonly ports?: readonly string[]
  readonly stop_grace_period?: string
}

/** An object of Kubernetes, as far as the tests look. */
export interface Manifest {
  readonly kind: string
  readonly metadata: { readonly name: string }
  readonly data?: Readonly<Record<string, string>>
  readonly spec: {
    readonly selector: { readonly matchLabels: object }
    readonly strategy: { readonly rollingUpdate: object }
    readonly maxUnavailable?: number
    readonly ports: readonly { readonly targetPort: string }[]
    readonly scaleTargetRef: object
    readonly template: { readonly metadata: { readonly labels: object }; readonly spec: PodSpec }
  }
}

interface PodSpec {
  readonly terminationGracePeriodSeconds: number
  readonly securityContext: object
  readonly containers: readonly Container[]
  readonly volumes: readonly { readonly configMap: { readonly name: string } }[]
}

interface Container {
  readonly args: readonly string[]
  readonly env: readonly { readonly name: string; readonly valueFrom: { readonly secretKeyRef: SecretKey } }[]
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[]
  readonly startupProbe: Probe
  readonly livenessProbe: Probe
  readonly readinessProbe: Probe
  readonly securityContext: object
  readonly volumeMounts: readonly { readonly mountPath: string }[]
}

interface SecretKey {
  readonly name: string
  readonly key: string
}

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string }
  readonly periodSeconds: number
  readonly failureThreshold: number
}

/** An instruction of a Dockerfile: its word, and the rest with its lines joined. */
export interface Instruction {
  readonly word: string
  readonly rest: string
}

/** The instructions of a Dockerfile, in order. */
export function parseDockerfile(text: string): Instruction[] {
  const joined = text.replace(/^\s*#.*\n/gm, '').replace(/\\\n\s*/g, '')
  return joined
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [word = '', ...rest] = line.split(' ')
      return { word, rest: rest.join(' ') }
    })
}
