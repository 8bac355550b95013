// Work on which the numbers of the estimator were not chosen: of other kinds than that of `record.mjs`, and recorded after they had been chosen.

import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import { brotliCompress, constants } from 'node:zlib'
import { filesBelow } from './files-below.mjs'

const TREE = '/usr'

/** What can be recorded. Each reports how much is done, and resolves when all is. */
export const HELD_OUT_WORKS = {
  'requests-steady': {
    kind: 'steady',
    what: '1,200 requests, one after the other, to a service that takes 20 to 60 ms for each',
    unit: 'requests',
    run: (report) => askService(1_200, () => 20 + 40 * Math.random(), report),
  },
  'render-steady': {
    kind: 'steady',
    what: 'drawing 2,500 frames of the same size',
    unit: 'frames',
    run: renderFrames,
  },
  'hash-bursty': {
    kind: 'bursty',
    what: 'hashing the files of a tree forty times each, counted in files',
    unit: 'files',
    run: hashFiles,
  },
  'brotli-bursty': {
    kind: 'bursty',
    what: 'compressing the files of a tree with Brotli, counted in bytes',
    unit: 'bytes',
    run: compressBytes,
  },
  'commits-bursty': {
    kind: 'bursty',
    what: 'asking git for the differences of each commit of a repository',
    unit: 'commits',
    run: readCommits,
  },
  'quota-bursty': {
    kind: 'bursty',
    what: 'reading 1,300 rows from a service that answers 150 in each eight seconds, and refuses the others',
    unit: 'rows',
    run: readWithQuota,
  },
  'mandelbrot-bursty': {
    kind: 'bursty',
    what: 'drawing a picture of the Mandelbrot set line by line, of which those in the middle take longest',
    unit: 'lines',
    run: drawLines,
  },
  'growing-slowing': {
    kind: 'slowing',
    what: 'working on a list to which each item is added in its order, by moving what is behind it',
    unit: 'items',
    run: insertInOrder,
  },
  'factorial-slowing': {
    kind: 'slowing',
    what: 'multiplying one number by each from 1 on, so that it grows',
    unit: 'factors',
    run: multiplyAll,
  },
  'warm-slowing': {
    kind: 'slowing',
    what: 'requests to a service that takes longer the more rows it has',
    unit: 'requests',
    run: (report) => askService(1_500, (done) => 5 + done / 25, report),
  },
}

async function askService(total, serviceMs, report) {
  const server = createServer((request, response) => {
    setTimeout(() => response.end('{}'), serviceMs(Number(request.headers['x-done'])))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = `http://127.0.0.1:${server.address().port}/`
  for (let done = 0; done < total; done += 1) {
    await (await fetch(address, { headers: { 'x-done': String(done) } })).text()
    report(done + 1, total)
  }
  server.close()
  server.closeAllConnections()
}

async function readWithQuota(report) {
  const total = 1_300
  const allowed = 150
  const began = performance.now()
  let [window, answered] = [-1, 0]
  const server = createServer((_, response) => {
    const now = Math.floor((performance.now() - began) / 8_000)
    if (now !== window) [window, answered] = [now, 0]
    answered += 1
    response.statusCode = answered <= allowed ? 200 : 429
    setTimeout(() => response.end('{}'), 15)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = `http://127.0.0.1:${server.address().port}/`
  for (let done = 0; done < total;) {
    const answer = await fetch(address)
    await answer.text()
    if (answer.ok) report((done += 1), total)
    else await pause(400)
  }
  server.close()
  server.closeAllConnections()
}

async function renderFrames(report) {
  const total = 2_500
  const pixels = new Uint8Array(640 * 360)
  for (let frame = 1; frame <= total; frame += 1) {
    for (let turn = 0; turn < 12; turn += 1)
      for (let at = 0; at < pixels.length; at += 1) pixels[at] = (pixels[at] + at * turn + frame) & 255
    report(frame, total)
    await pause(0)
  }
}

async function hashFiles(report) {
  const files = filesBelow(join(TREE, 'lib'), 600)
  let done = 0
  for (const file of files) {
    const content = readFileSync(file)
    for (let turn = 0; turn < 40; turn += 1) createHash('sha256').update(content).digest()
    report((done += 1), files.length)
    await pause(0)
  }
}

async function compressBytes(report) {
  const compress = promisify(brotliCompress)
  const contents = filesBelow(join(TREE, 'share'), 3_000).map((file) => readFileSync(file).subarray(0, 4_000_000))
  const total = Math.min(
    40e6,
    contents.reduce((sum, { length }) => sum + length, 0),
  )
  let done = 0
  for (const content of contents) {
    await compress(content, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } })
    report(Math.min(total, (done += content.length)), total)
    if (done >= total) return
  }
}

async function readCommits(report) {
  const run = promisify(execFile)
  const options = { maxBuffer: 256e6 }
  const { stdout } = await run('git', ['rev-list', '--reverse', '--max-count=1200', 'HEAD'], options)
  const commits = stdout.trim().split('\n')
  let done = 0
  for (const commit of commits) {
    await run('git', ['show', '--patch', '--find-copies-harder', commit], options)
    report((done += 1), commits.length)
  }
}

async function drawLines(report) {
  const [lines, columns, turnsMax] = [1_600, 2_400, 4_000]
  for (let line = 0; line < lines; line += 1) {
    for (let column = 0; column < columns; column += 1) escapeOf(column / 800 - 2, line / 640 - 1.25, turnsMax)
    report(line + 1, lines)
    await pause(0)
  }
}

function escapeOf(x, y, turnsMax) {
  let [re, im, turns] = [0, 0, 0]
  while (re * re + im * im < 4 && turns < turnsMax) {
    const next = re * re - im * im + x
    im = 2 * re * im + y
    re = next
    turns += 1
  }
  return turns
}

async function insertInOrder(report) {
  const total = 220_000
  const list = []
  for (let done = 1; done <= total; done += 1) {
    const value = Math.random()
    let at = list.length
    while (at > 0 && list[at - 1] > value && list.length - at < 40_000) at -= 1
    list.splice(at, 0, value)
    report(done, total)
    if (done % 200 === 0) await pause(0)
  }
}

async function multiplyAll(report) {
  const total = 120_000
  let product = 1n
  for (let factor = 1; factor <= total; factor += 1) {
    product *= BigInt(factor)
    report(factor, total)
    if (factor % 50 === 0) await pause(0)
  }
}
