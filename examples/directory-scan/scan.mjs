#!/usr/bin/env node
import { basename, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { Api } from './api.mjs'
import { PHASES, scanDirectory } from './directory-scan.mjs'
import { Reporter } from './reporter.mjs'

const USAGE = `Scans a directory and reports its progress to a Holdfast server.

  HOLDFAST_TOKEN=... node scan.mjs <directory> [--url http://127.0.0.1:8000] [--id scan-1] [--owner ada] [--files-per-second 500]

The token (or API key) needs the permission operations.own; with --owner, operations.`

/** Exit statuses: as a shell has them for a program that was interrupted. */
const EXIT = { done: 0, failed: 1, usage: 2, cancelled: 130 }

process.exitCode = await main()

async function main() {
  const options = read()
  if (options === undefined) {
    console.error(USAGE)
    return EXIT.usage
  }
  const { root, url, token, id, owner, filesPerSecond } = options
  const label = `Scan of ${basename(root)}`.slice(0, 256)
  const spec = {
    id,
    kind: 'directory-scan',
    label,
    unit: 'files',
    phases: PHASES,
    metadata: { path: root },
    ...(owner && { owner }),
  }
  const reporter = new Reporter(new Api(url, token), spec)
  try {
    await reporter.start()
    console.error(`Operation ${id}`)
    return await scan(reporter, root, filesPerSecond)
  } catch (error) {
    console.error(error.message)
    return EXIT.failed
  }
}

async function scan(reporter, root, filesPerSecond) {
  const interrupted = new AbortController()
  process.once('SIGINT', () => interrupted.abort(new Error('Interrupted')))
  const signal = AbortSignal.any([reporter.signal, interrupted.signal])
  try {
    const result = await scanDirectory(root, { signal, filesPerSecond, report: (report) => reporter.report(report) })
    await reporter.end('complete', { result })
    console.log(JSON.stringify(result))
    return EXIT.done
  } catch (error) {
    if (!signal.aborted) {
      await reporter.end('fail', { error: { code: error.code ?? 'scan_failed', message: error.message } })
      throw error
    }
    // Whoever else has it now, or ended it, has the last word.
    if (!interrupted.signal.aborted && reporter.signal.reason.code !== 'cancelled') throw reporter.signal.reason
    await reporter.end('cancelled')
    console.error('Cancelled')
    return EXIT.cancelled
  }
}

function read() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        url: { type: 'string', default: 'http://127.0.0.1:8000' },
        id: { type: 'string', default: `scan-${Date.now().toString(36)}` },
        owner: { type: 'string' },
        'files-per-second': { type: 'string', default: 'Infinity' },
      },
    })
    const token = process.env.HOLDFAST_TOKEN
    const filesPerSecond = Number(values['files-per-second'])
    if (positionals.length !== 1 || !token || !(filesPerSecond > 0)) return undefined
    return { root: resolve(positionals[0]), url: values.url, token, id: values.id, owner: values.owner, filesPerSecond }
  } catch {
    return undefined
  }
}
