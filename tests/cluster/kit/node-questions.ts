import type { OperationSnapshot, Position } from '@holdfast/protocol'
import type {
  ApiKeySpec,
  HistoryPage,
  HoldfastOptions,
  HoldfastStats,
  Notification,
  OperationSpec,
  PublishResult,
} from '@holdfast/server'
import type { Problem } from './questions.js'

/** The options of a node as they travel: what is not JSON is left out. */
export type NodeOptions = Omit<HoldfastOptions, 'auth' | 'engine' | 'log' | 'clock' | 'random'> & {
  /** As in the options of the server; default `memory`. */
  readonly engine?: unknown
}

/** A publish by the application. */
export interface ServerPublish {
  readonly tenant: string
  readonly channel: string
  readonly event?: string
  readonly data: unknown
  readonly key?: string
}

interface Of {
  readonly tenant: string
  readonly channel: string
}

interface OperationOf {
  readonly tenant: string
  readonly id: string
}

/** What a node can be asked. */
export interface NodeQuestions {
  start: { input: { options: NodeOptions; port?: number }; output: { port: number; url: string; node: string } }
  publish: { input: ServerPublish; output: PublishResult }
  /** Several at once, at most `inFlight` at a time; the outcomes in their order. */
  publishMany: {
    input: { publishes: readonly ServerPublish[]; inFlight: number }
    output: readonly (PublishResult | Problem)[]
  }
  signal: { input: ServerPublish; output: null }
  notify: { input: { tenant: string; user: string; notification: Notification }; output: PublishResult }
  history: {
    input: Of & { range?: { since?: Position; before?: Position; limit?: number } }
    output: HistoryPage
  }
  presence: {
    input: Of
    output: {
      members: readonly { user: string; connections: number }[]
      counts: { members: number; connections: number }
    }
  }
  disconnect: { input: { tenant: string; user: string }; output: number }
  revokeUser: { input: { tenant: string; user: string }; output: null }
  createKey: { input: { tenant: string; spec: ApiKeySpec }; output: { id: string; key: string } }
  rotateKey: { input: { tenant: string; id: string; overlap: string }; output: { id: string; key: string } }
  revokeKey: { input: { tenant: string; id: string }; output: boolean }
  startOperation: { input: { tenant: string; spec: OperationSpec }; output: string }
  reportOperation: {
    input: OperationOf & { advance?: number; complete?: unknown; fail?: string; cancelled?: boolean }
    output: OperationSnapshot
  }
  getOperation: { input: OperationOf; output: OperationSnapshot | null }
  cancelOperation: { input: OperationOf; output: boolean }
  stats: { input: null; output: HoldfastStats & { residentBytes: number; cpuMs: number } }
  /** The answer of a route of the HTTP side. */
  http: { input: { path: string }; output: { status: number; body: string } }
  /** Blocks the event loop for so long. */
  stall: { input: { ms: number }; output: null }
}
