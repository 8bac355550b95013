import type { OperationProgress, OperationSnapshot } from '@holdfast/protocol'

const COUNT = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })
const SHORT = new Intl.NumberFormat('en', { maximumFractionDigits: 1 })
const BYTE_UNITS = ['B', 'kB', 'MB', 'GB', 'TB'] as const

/** Seconds as people say them: `0.4 s`, `12 s`, `3 min 5 s`, `2 h 7 min`, `4 d 3 h`. */
export function durationText(seconds: number): string {
  if (seconds < 0.95) return `${SHORT.format(seconds)} s`
  const whole = Math.round(seconds)
  const [days, hours, minutes] = [Math.floor(whole / 86_400), Math.floor(whole / 3600), Math.floor(whole / 60)]
  if (days > 0) return pair(days, 'd', Math.floor((whole % 86_400) / 3600), 'h')
  if (hours > 0) return pair(hours, 'h', Math.floor((whole % 3600) / 60), 'min')
  if (minutes > 0) return pair(minutes, 'min', whole % 60, 's')
  return `${whole} s`
}

function pair(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`
}

/** What is left, with its range in the same unit: `about 2 min, 1 to 4`. */
export function etaText({ seconds, low, high }: NonNullable<OperationSnapshot['eta']>): string {
  const [unit, size] = unitFor(seconds)
  const say = (value: number): string => {
    const units = value / size
    return size === 3600 && units < 9.95 ? SHORT.format(units) : COUNT.format(Math.max(1, Math.round(units)))
  }
  const [middle, from, to] = [say(seconds), say(low), say(high)]
  return from === to ? `about ${middle} ${unit}` : `about ${middle} ${unit}, ${from} to ${to}`
}

/** Up to a minute and a half people count seconds, up to an hour and a half minutes. */
function unitFor(seconds: number): readonly [string, number] {
  if (seconds < 90) return ['s', 1]
  return seconds < 5400 ? ['min', 60] : ['h', 3600]
}

/** What is done of what there is: `630 of 1,500 files`, `1.2 of 3.4 GB`; empty where nothing is counted. */
export function doneText({ done, total, unit }: OperationProgress): string {
  if (done === 0 && total === undefined) return ''
  if (unit === 'bytes') return bytesText(done, total)
  const figures = total === undefined ? COUNT.format(done) : `${COUNT.format(done)} of ${COUNT.format(total)}`
  return unit === undefined ? figures : `${figures} ${unit}`
}

function bytesText(done: number, total?: number): string {
  const [size, unit] = byteUnit(total ?? done)
  const say = (bytes: number): string => figure(bytes / size)
  return total === undefined ? `${say(done)} ${unit}` : `${say(done)} of ${say(total)} ${unit}`
}

function byteUnit(bytes: number): readonly [number, string] {
  let size = 1
  let at = 0
  while (bytes / size >= 999.5 && at < BYTE_UNITS.length - 1) {
    size *= 1000
    at += 1
  }
  return [size, BYTE_UNITS[at] ?? 'B']
}

/** How fast: `512 files/s`, `1.2 MB/s`, `0.4/s`. */
export function rateText(rate: number, unit?: string): string {
  if (unit === 'bytes') {
    const [size, name] = byteUnit(rate)
    return `${figure(rate / size)} ${name}/s`
  }
  return unit === undefined ? `${figure(rate)}/s` : `${figure(rate)} ${unit}/s`
}

function figure(value: number): string {
  return value < 9.95 ? SHORT.format(value) : COUNT.format(value)
}

/** The step that runs, and where it stands: `Reading (2 of 3)`. */
export function phaseText({ phase }: OperationProgress): string {
  if (!phase) return ''
  return phase.count > 1 ? `${phase.name} (${phase.index} of ${phase.count})` : phase.name
}

/** A percentage without decimals, that never says 100 before it is: `42%`. */
export function percentText(percent: number): string {
  return `${Math.floor(percent)}%`
}

/** What a screen reader says of the bar: `42 percent, Reading (2 of 3), 630 of 1,500 files`. */
export function spokenProgress(progress: OperationProgress): string {
  const { percent } = progress
  const parts = [percent === undefined ? '' : `${Math.floor(percent)} percent`, phaseText(progress), doneText(progress)]
  return parts.filter(Boolean).join(', ') || 'running'
}

const RESULT_LINES_MAX = 8
const RESULT_CHARACTERS_MAX = 200

/** A result as short lines, a name and a value each; what is nested is left out. A plain value is a line without a name. */
export function resultLines(result: unknown): (readonly [name: string, value: string])[] {
  if (result === undefined || result === null) return []
  if (typeof result !== 'object') return [['', plain(result)]]
  return Object.entries(result)
    .filter(([, value]) => value !== null && typeof value !== 'object')
    .slice(0, RESULT_LINES_MAX)
    .map(([name, value]) => [spaced(name), plain(value)] as const)
}

function plain(value: unknown): string {
  const text = typeof value === 'number' ? value.toLocaleString('en', { maximumFractionDigits: 2 }) : String(value)
  return text.length > RESULT_CHARACTERS_MAX ? `${text.slice(0, RESULT_CHARACTERS_MAX)}…` : text
}

/** `totalFiles` and `total_files` as `Total files`. */
function spaced(name: string): string {
  const words = name.replaceAll('_', ' ').replace(/(?<=[a-z\d])(?=[A-Z])/g, ' ')
  return words.charAt(0).toUpperCase() + words.slice(1).toLowerCase()
}
