import { EXIT, Failure, describeError } from '../../failure.js'
import type { OutputLine } from './output-lines.js'

/** What a line of output says of the progress; absent where it says nothing of it. */
export interface Reading {
  readonly done?: number
  readonly total?: number
  readonly unit?: string
  readonly percent?: number
  readonly item?: string
  readonly phase?: string
  readonly message?: string
}

/** Reads lines of output. */
export type OutputReader = (line: OutputLine) => Reading

/** How output is read. */
export interface OutputReaderOptions {
  /** In place of the forms that are known: its groups percent, done, total, item, phase and message. */
  readonly pattern?: RegExp
  /** What matches is the phase: the group `phase`, else the first, else everything. */
  readonly phasePattern?: RegExp
  /** Each line is one unit done. */
  readonly countLines?: boolean
  /** Whether to look for the forms that are known (default true). */
  readonly known?: boolean
}

/**
 * A reader of what a command prints. Of the forms that tools use it knows steps in brackets (`[3/10]`, `(3 of 10)`), files left (`to-chk=5/20`, rsync), percentages (`42%`, `42.5 %`, the
 * table of curl), counts (`3/10`, `1.2/3.4 MB`) and checkpoints (tar), from the surest to the least sure: once it has seen one it no longer listens to less sure ones. The last line is
 * the message.
 */
export function createOutputReader(options: OutputReaderOptions): OutputReader {
  const { pattern, phasePattern, countLines = false, known = true } = options
  const sensor = known && !pattern && !countLines ? createSensor() : () => ({})
  let lines = 0
  return ({ text, isOpen }) => {
    if (!isOpen) lines += 1
    return {
      message: text.trim().slice(0, TEXT_MAX),
      ...sensor(text),
      ...(countLines && { done: lines }),
      ...(pattern && readPattern(pattern, text)),
      ...(phasePattern && readPhase(phasePattern, text)),
    }
  }
}

const TEXT_MAX = 1_024
const PHASE_MAX = 128

const NUMBER = '(\\d{1,3}(?:,\\d{3})+|\\d{1,15}(?:\\.\\d{1,6})?)'
const STEP = new RegExp(`[[(]\\s*${NUMBER}\\s*(?:/|of)\\s*${NUMBER}\\s*[\\])]`, 'g')
const LEFT = /\b(?:to|ir)-chk=(\d{1,15})\/(\d{1,15})\)/g
const PERCENT = /(?<![\w.,%-])(\d{1,3}(?:\.\d{1,6})?)\s?%(?![\w%])/g
/** `curl`: percent, size, percent and size received, percent and size sent, two speeds, three times, a speed. */
const CURL = /^\s*(\d{1,3})\s+\S+\s+\d{1,3}\s+\S+\s+\d{1,3}\s+\S+\s+\S+\s+\S+\s+[\d:-]+\s+[\d:-]+\s+[\d:-]+\s+\S+$/g
/** Not a date, a path or a part of one. */
const COUNT = new RegExp(
  `(?<![\\w./:=,-])${NUMBER}\\s?(?:/|\\sof\\s)\\s?${NUMBER}(?:\\s?(bytes|[kKMGT]i?B))?(?![\\w/:-]|[.,]\\w)(?!\\s+\\d{1,2}:\\d\\d)`,
  'g',
)
const CHECKPOINT = /\bcheckpoint (\d{1,15})\b/gi

type Finder = (line: string) => Reading | undefined

/** From the surest to the least sure. */
const FINDERS: readonly Finder[] = [
  (line) => outOf(lastOf(STEP, line)),
  (line) => {
    const [, left, total] = lastOf(LEFT, line) ?? []
    return outOf(
      left === undefined || total === undefined ? undefined : ['', String(Number(total) - Number(left)), total],
    )
  },
  (line) => {
    const percent = numberOf((lastOf(PERCENT, line) ?? lastOf(CURL, line))?.[1])
    if (percent === undefined || percent > 100) return undefined
    return sameAs(percent, outOf(lastOf(COUNT, line))) ?? { percent }
  },
  (line) => outOf(lastOf(COUNT, line)),
  (line) => {
    const done = numberOf(lastOf(CHECKPOINT, line)?.[1])
    return done === undefined ? undefined : { done, unit: 'checkpoints' }
  },
]

function createSensor(): (line: string) => Reading {
  let surest = FINDERS.length
  return (line) => {
    for (const [at, find] of FINDERS.slice(0, surest + 1).entries()) {
      const found = find(line)
      if (found === undefined) continue
      surest = at
      return found
    }
    return {}
  }
}

/** A line may be drawn over with more of the same: its last one counts. */
function lastOf(pattern: RegExp, line: string): RegExpExecArray | undefined {
  return Array.from(line.matchAll(pattern)).at(-1)
}

function outOf(match: readonly (string | undefined)[] | undefined): Reading | undefined {
  const [done, total] = [numberOf(match?.[1]), numberOf(match?.[2])]
  if (done === undefined || total === undefined || total === 0 || done > total) return undefined
  const unit = match?.[3]
  return { done, total, ...(unit !== undefined && { unit }) }
}

/** The counts beside a percentage say the same, and more. */
function sameAs(percent: number, counted: Reading | undefined): Reading | undefined {
  const { done = 0, total = 1 } = counted ?? {}
  return counted && Math.abs((100 * done) / total - percent) < 1.5 ? counted : undefined
}

function numberOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const value = Number(text.replaceAll(',', ''))
  return Number.isFinite(value) ? value : undefined
}

function readPattern(pattern: RegExp, line: string): Reading {
  const groups = pattern.exec(line)?.groups ?? {}
  const [percent, done, total] = [numberOf(groups['percent']), numberOf(groups['done']), numberOf(groups['total'])]
  const { item, phase, message } = groups
  return {
    // A percentage beside counts would be a second opinion.
    ...(percent !== undefined && done === undefined && { percent: Math.min(percent, 100) }),
    ...(done !== undefined && { done }),
    ...(total !== undefined && { total }),
    ...(item !== undefined && { item: item.slice(0, TEXT_MAX) }),
    ...(phase && { phase: phase.slice(0, PHASE_MAX) }),
    ...(message !== undefined && { message: message.slice(0, TEXT_MAX) }),
  }
}

function readPhase(pattern: RegExp, line: string): Reading {
  const match = pattern.exec(line)
  const phase = match && (match.groups?.['phase'] ?? match[1] ?? match[0]).trim()
  return phase ? { phase: phase.slice(0, PHASE_MAX) } : {}
}

const GROUPS = ['percent', 'done', 'total', 'item', 'phase', 'message']

/** The pattern of `--pattern`. Throws a `Failure` where it is none, or names no group that means anything. */
export function progressPattern(source: string): RegExp {
  const pattern = compile('--pattern', source)
  const names = Array.from(source.matchAll(/\(\?<(\w+)>/g), ([, name = '']) => name)
  if (names.some((name) => GROUPS.includes(name))) return pattern
  throw new Failure(
    `--pattern must name one of the groups ${GROUPS.join(', ')}, such as '(?<done>\\d+) of (?<total>\\d+)', received ${JSON.stringify(source)}`,
    EXIT.usage,
  )
}

/** The pattern of `--phase-pattern`. Throws a `Failure` where it is none. */
export function phasePattern(source: string): RegExp {
  return compile('--phase-pattern', source)
}

function compile(option: string, source: string): RegExp {
  try {
    return new RegExp(source, 'u')
  } catch (error) {
    throw new Failure(`${option} must be a regular expression: ${describeError(error)}`, EXIT.usage)
  }
}
