import { type Told, type Trace, durationOf, judge, replay } from './replay.js'

const PANEL = { width: 360, gap: 50, left: 46, top: 62 }
/** Heights of the two graphs of a panel, and how far apart they are. */
const TO_GO = 150
const ERROR = 70
const BETWEEN = 26
const ROW = PANEL.top + TO_GO + BETWEEN + ERROR + 54

const INK = '#24292f'
const FAINT = '#6e7781'
const GRID = '#d8dee4'
const BAND = '#b6d7ff'
const LINE = '#0757c2'

/** The factor by which an estimate is wrong at the edge of the lower graph. */
const FACTOR_MAX = 4

/** One picture of all recordings of a kind: what was told and what was true, and below the error as a factor. */
export function chartOf(traces: readonly Trace[]): string {
  const rows = Math.ceil(traces.length / 2)
  const width = 2 * (PANEL.width + PANEL.left) + PANEL.gap + 20
  const height = rows * ROW + 34
  const panels = traces.map((trace, index) => {
    const x = PANEL.left + (index % 2) * (PANEL.width + PANEL.left + PANEL.gap)
    return `<g transform="translate(${x} ${Math.floor(index / 2) * ROW})">${panelOf(trace)}</g>`
  })
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="11" fill="${INK}">`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    ...panels,
    legend(height - 16),
    '</svg>\n',
  ].join('\n')
}

function panelOf(trace: Trace): string {
  const told = replay(trace)
  const { within, width } = judge(told)
  const percent = `${Math.round(within * 100)} % of the time within, ${width.toFixed(1)} wide`
  return [
    `<text x="0" y="22" font-size="13" font-weight="600">${trace.name}</text>`,
    `<text x="${PANEL.width}" y="22" text-anchor="end" fill="${FAINT}">${percent}</text>`,
    ...wrapped(trace.what).map(
      (line, index) => `<text x="0" y="${37 + index * 13}" fill="${FAINT}" font-size="10">${line}</text>`,
    ),
    `<g transform="translate(0 ${PANEL.top})">${toGo(trace, told)}</g>`,
    `<g transform="translate(0 ${PANEL.top + TO_GO + BETWEEN})">${errors(trace, told)}</g>`,
  ].join('\n')
}

/** Seconds to go over seconds gone. */
function toGo(trace: Trace, told: readonly Told[]): string {
  const duration = durationOf(trace)
  const top = duration * 1.6
  const x = (at: number): number => (at / duration) * PANEL.width
  const y = (seconds: number): number => TO_GO * (1 - Math.min(1, seconds / top))
  const ticks = [0, 0.5, 1, 1.5].map((share) => {
    const at = y(duration * share)
    return `${rule(at)}<text x="-6" y="${fixed(at + 4)}" text-anchor="end" fill="${FAINT}">${Math.round(duration * share)} s</text>`
  })
  return [
    ...ticks,
    band(
      told,
      x,
      ({ low }) => y(low),
      ({ high }) => y(high),
    ),
    `<path d="M${fixed(x(0))} ${fixed(y(duration))}L${fixed(x(duration))} ${fixed(y(0))}" stroke="${INK}" stroke-dasharray="4 3" fill="none"/>`,
    line(told, x, ({ seconds }) => y(seconds)),
  ].join('\n')
}

/** What was told, divided by what was true, on a scale on which twice is as far from 1 as half. */
function errors(trace: Trace, told: readonly Told[]): string {
  const duration = durationOf(trace)
  const x = (at: number): number => (at / duration) * PANEL.width
  const y = (seconds: number, truth: number): number => {
    const factor = Math.log(Math.max(seconds, 0.1) / truth) / Math.log(FACTOR_MAX)
    return (ERROR / 2) * (1 - Math.max(-1, Math.min(1, factor)))
  }
  const ticks = [1 / 4, 1 / 2, 1, 2, 4].map((factor) => {
    const at = y(factor, 1)
    const name = factor < 1 ? `1/${1 / factor}` : String(factor)
    return `${rule(at, factor === 1)}<text x="-6" y="${fixed(at + 4)}" text-anchor="end" fill="${FAINT}">${name}</text>`
  })
  const seconds = [0, 0.25, 0.5, 0.75, 1].map(
    (share) =>
      `<text x="${fixed(share * PANEL.width)}" y="${ERROR + 16}" text-anchor="middle" fill="${FAINT}">${Math.round(duration * share)} s</text>`,
  )
  return [
    ...ticks,
    ...seconds,
    band(
      told,
      x,
      ({ low, truth }) => y(low, truth),
      ({ high, truth }) => y(high, truth),
    ),
    line(told, x, (one) => y(one.seconds, one.truth)),
  ].join('\n')
}

function band(
  told: readonly Told[],
  x: (at: number) => number,
  low: (one: Told) => number,
  high: (one: Told) => number,
): string {
  const there = told.map((one) => `${fixed(x(one.at))} ${fixed(high(one))}`)
  const back = told.toReversed().map((one) => `${fixed(x(one.at))} ${fixed(low(one))}`)
  return `<path d="M${[...there, ...back].join('L')}Z" fill="${BAND}" fill-opacity="0.7"/>`
}

function line(told: readonly Told[], x: (at: number) => number, y: (one: Told) => number): string {
  const path = told.map((one) => `${fixed(x(one.at))} ${fixed(y(one))}`).join('L')
  return `<path d="M${path}" stroke="${LINE}" stroke-width="1.6" fill="none"/>`
}

function rule(y: number, isStrong: boolean = false): string {
  return `<path d="M0 ${fixed(y)}H${PANEL.width}" stroke="${isStrong ? INK : GRID}" stroke-width="${isStrong ? 1 : 0.8}"/>`
}

function legend(y: number): string {
  const x = PANEL.left
  return [
    `<path d="M${x} ${y - 4}h26" stroke="${LINE}" stroke-width="1.6"/><text x="${x + 32}" y="${y}">told</text>`,
    `<rect x="${x + 72}" y="${y - 10}" width="26" height="12" fill="${BAND}"/><text x="${x + 104}" y="${y}">range told</text>`,
    `<path d="M${x + 182} ${y - 4}h26" stroke="${INK}" stroke-dasharray="4 3"/><text x="${x + 214}" y="${y}">true</text>`,
    `<text x="${x + 256}" y="${y}" fill="${FAINT}">above: time to go, over time gone; below: told divided by true</text>`,
  ].join('\n')
}

/** Two lines at most. */
function wrapped(text: string): string[] {
  if (text.length <= 64) return [text]
  const at = text.lastIndexOf(' ', 64)
  return [text.slice(0, at), text.slice(at + 1)]
}

function fixed(value: number): string {
  return (Math.round(value * 10) / 10).toString()
}
