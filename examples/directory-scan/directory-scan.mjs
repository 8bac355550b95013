import { setTimeout as pause } from 'node:timers/promises'
import { filesBelow, sizeOf } from './walk.mjs'

/** Every so many files the progress is told. */
const TELL_EVERY_FILES = 50
/** Warnings that are kept; more are only counted. */
const WARNINGS_KEPT = 100

/** The steps of a scan, and how much of the time each takes. */
export const PHASES = [
  { name: 'counting', weight: 1 },
  { name: 'scanning', weight: 9 },
]

/**
 * Scans the directory: counts its files, then looks at each. Tells `report` how far it is, and resolves with `totalFiles`, `totalSize` (bytes),
 * `warnings` and `warningCount`. Rejects with the reason of `signal`, or when the directory cannot be read. `filesPerSecond`: no faster than that.
 */
export async function scanDirectory(root, { signal, report, filesPerSecond = Infinity }) {
  const warnings = []
  let warningCount = 0
  const onWarning = (text) => {
    warningCount += 1
    if (warnings.length < WARNINGS_KEPT) warnings.push(text)
    report({ message: `${warningCount} ${warningCount === 1 ? 'warning' : 'warnings'}, the last: ${text}` })
  }

  report({ phase: 'counting', unit: 'files' })
  const totalFiles = await count(root, { signal, onWarning: () => {}, report })

  report({ phase: 'scanning', done: 0, total: totalFiles, unit: 'files' })
  const startedAt = performance.now()
  let done = 0
  let totalSize = 0
  for await (const path of filesBelow(root, { signal, onWarning })) {
    totalSize += (await sizeOf(root, path, onWarning)) ?? 0
    done += 1
    if (done % TELL_EVERY_FILES === 0)
      report({ phase: 'scanning', done, total: Math.max(done, totalFiles), item: path })
    const earlyMs = startedAt + (done * 1000) / filesPerSecond - performance.now()
    if (earlyMs > 1) await pause(earlyMs, undefined, { signal })
  }
  report({ phase: 'scanning', done, total: done })
  return { totalFiles: done, totalSize, warnings, warningCount }
}

async function count(root, { signal, onWarning, report }) {
  let files = 0
  for await (const path of filesBelow(root, { signal, onWarning })) {
    files += 1
    if (files % TELL_EVERY_FILES === 0) report({ phase: 'counting', done: files, item: path })
  }
  return files
}
