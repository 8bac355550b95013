import type { OperationState } from '@holdfast/protocol'
import { HoldfastError } from '../core/errors.js'
import type { AttemptOptions, OperationEnding, OperationReport, WorkerWord } from './desk.js'
import { amountOf, atLeastZero } from './progress.js'

/** What is said of an operation, by its worker, by those who watch it, by the operation below it or by time. */
export type Word =
  | {
      readonly do: 'report'
      readonly report: OperationReport
      /** Whether the phase begins even if it is the one before. */
      readonly begins?: boolean
      /** The share of the whole that the reports which were merged into this one had reached. */
      readonly reached?: number
      /** It follows this version and nothing else, or is refused. */
      readonly after?: number
    }
  | { readonly do: 'heartbeat'; readonly worker: WorkerWord }
  | { readonly do: 'end'; readonly ending: OperationEnding }
  | { readonly do: 'attempt'; readonly force: boolean; readonly worker?: string; readonly entry?: string }
  | { readonly do: 'cancel' }
  | {
      readonly do: 'due'
      /** Whether the worker of this version has let its lease lapse. */
      readonly lapsed: number | undefined
    }
  | {
      readonly do: 'child'
      readonly id: string
      readonly weight: number
      readonly fraction: number
      readonly state: OperationState
    }

/** An entry of a log: two numbers, `1690000000000-3`. */
const ENTRY = /^(\d{1,19})-(\d{1,19})$/

/** Whether one entry stands behind another. */
export function isAfter(entry: string, other: string): boolean {
  const [, ms = '0', at = '0'] = ENTRY.exec(entry) ?? []
  const [, otherMs = '0', otherAt = '0'] = ENTRY.exec(other) ?? []
  const difference = BigInt(ms) - BigInt(otherMs) || BigInt(at) - BigInt(otherAt)
  return difference > 0n
}

/** Checks which worker speaks. @throws HoldfastError `bad_request` naming the member. */
export function checkWorker({ attempt, sequence, entry }: WorkerWord): void {
  for (const [name, value] of [
    ['attempt', attempt],
    ['sequence', sequence],
  ] as const)
    if (value !== undefined && (!Number.isSafeInteger(value) || value < (name === 'attempt' ? 1 : 0)))
      throw wrong(name, `a whole number from ${name === 'attempt' ? 1 : 0}`, value)
  if (entry !== undefined && (typeof entry !== 'string' || !ENTRY.test(entry)))
    throw wrong('entry', 'two numbers such as 1690000000000-3', entry)
}

const TEXTS = ['unit', 'item', 'message', 'phase'] as const

/** Characters of the name of a report, and of that of a worker. */
const KEY_MAX = 64
const WORKER_MAX = 128

/** Checks how a worker calls itself. @throws HoldfastError `bad_request` naming the member. */
export function checkTaking({ worker }: AttemptOptions): void {
  checkName('worker', worker, WORKER_MAX)
}

function checkName(name: string, value: string | undefined, charactersMax: number): void {
  if (value === undefined) return
  if (typeof value !== 'string' || value === '' || value.length > charactersMax)
    throw wrong(name, `1 to ${charactersMax} characters`, value)
}

/** Checks a report. @throws HoldfastError `bad_request` naming the member. */
export function checkReport(report: OperationReport): void {
  checkWorker(report)
  checkName('key', report.key, KEY_MAX)
  for (const name of ['done', 'advance', 'total', 'percent'] as const) {
    const value = report[name]
    if (value !== undefined) atLeastZero(name, value)
  }
  if (report.percent !== undefined) {
    if (report.percent > 100) throw wrong('percent', 'a number from 0 to 100', report.percent)
    if (report.done !== undefined || report.advance !== undefined)
      throw new HoldfastError('bad_request', 'percent excludes done and advance')
  }
  if (report.done !== undefined && report.advance !== undefined)
    throw new HoldfastError('bad_request', 'done and advance exclude each other')
  for (const name of TEXTS) {
    const value = report[name]
    if (value !== undefined && typeof value !== 'string') throw wrong(name, 'text', value)
  }
  if (report.phase === '') throw wrong('phase', 'a name', '')
  if (report.state !== undefined && report.state !== 'running' && report.state !== 'waiting')
    throw wrong('state', 'running or waiting', report.state)
}

function wrong(name: string, expected: string, received: unknown): HoldfastError {
  return new HoldfastError('bad_request', `${name} must be ${expected}, received ${JSON.stringify(received)}`)
}

/** Two reports of one worker in one: what the second leaves out is as the first says. */
export function mergeReports(first: OperationReport, second: OperationReport): OperationReport {
  // What is usual is merged without being taken apart: it is done for every report.
  if (first.percent === undefined && second.percent === undefined) {
    if (first.advance === undefined && second.advance === undefined) return { ...first, ...second }
    if (first.done === undefined && second.done === undefined)
      return { ...first, ...second, advance: amountOf(first.advance ?? 0, second.advance ?? 0) }
  }
  const { done, advance, percent, ...kept } = first
  if (second.done !== undefined || second.percent !== undefined) return { ...kept, ...second }
  const counted =
    second.advance === undefined
      ? { done, advance, percent }
      : {
          ...(done === undefined
            ? { advance: amountOf(advance ?? 0, second.advance) }
            : { done: amountOf(done, second.advance) }),
        }
  const { advance: _advance, ...rest } = second
  return { ...kept, ...rest, ...present(counted) }
}

function present(counted: { done?: number | undefined; advance?: number | undefined; percent?: number | undefined }): {
  done?: number
  advance?: number
  percent?: number
} {
  const { done, advance, percent } = counted
  return {
    ...(done !== undefined && { done }),
    ...(advance !== undefined && { advance }),
    ...(percent !== undefined && { percent }),
  }
}
