// Work that was recorded once the estimator and its range were as they are: nothing was chosen by it.

import { once } from 'node:events'
import { mkdtempSync, openSync, closeSync, fsyncSync, rmSync, writeSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

/** What can be recorded. Each reports how much is done, and resolves when all is. */
export const FRESH_WORKS = {
  'parse-steady': {
    kind: 'steady',
    what: 'parsing 8,000 documents of much the same size',
    unit: 'documents',
    run: parseAll,
  },
  'blocks-steady': {
    kind: 'steady',
    what: 'writing 2,200 blocks of a file, and waiting for the disk after each',
    unit: 'blocks',
    run: writeBlocks,
  },
  'factors-bursty': {
    kind: 'bursty',
    what: 'finding the factors of 2,000 numbers of fifteen digits by trying',
    unit: 'numbers',
    run: factorAll,
  },
  'retries-bursty': {
    kind: 'bursty',
    what: '600 calls to a service that fails for seconds on end, each tried again after twice the time',
    unit: 'calls',
    run: callAgain,
  },
  'batches-bursty': {
    kind: 'bursty',
    what: 'importing 40,000 rows in batches of 200 to 2,500, reported when a batch is written',
    unit: 'rows',
    run: importBatches,
  },
  'primes-slowing': {
    kind: 'slowing',
    what: 'finding 1,100,000 primes, each number tried with all primes before it',
    unit: 'primes',
    run: findPrimes,
  },
  'triangle-slowing': {
    kind: 'slowing',
    what: 'computing 55,000 lines of a triangle of numbers, each of which is longer than the last',
    unit: 'lines',
    run: drawTriangle,
  },
}

async function parseAll(report) {
  const total = 8_000
  const text = JSON.stringify(
    Array.from({ length: 6_000 }, (_, id) => ({ id, name: `row ${id}`, values: [id, id / 3] })),
  )
  for (let done = 1; done <= total; done += 1) {
    JSON.parse(text)
    report(done, total)
    await pause(0)
  }
}

async function writeBlocks(report) {
  const total = 2_200
  const folder = mkdtempSync(join(tmpdir(), 'blocks-'))
  const file = openSync(join(folder, 'blocks'), 'w')
  const block = Buffer.alloc(2_000_000, 'holdfast')
  for (let done = 1; done <= total; done += 1) {
    writeSync(file, block, 0, block.length, (done % 50) * block.length)
    fsyncSync(file)
    report(done, total)
    await pause(15)
  }
  closeSync(file)
  rmSync(folder, { recursive: true })
}

async function factorAll(report) {
  const total = 2_000
  for (let done = 1; done <= total; done += 1) {
    largestFactor(Math.floor(1e15 * Math.random()))
    report(done, total)
    await pause(0)
  }
}

function largestFactor(number) {
  let rest = number
  for (let factor = 2; factor * factor <= rest; factor += 1) while (rest % factor === 0 && rest > factor) rest /= factor
  return rest
}

async function callAgain(report) {
  const total = 600
  let [fails, until] = [false, 0]
  const server = createServer((_, response) => {
    if (performance.now() > until) {
      fails = !fails
      until = performance.now() + 1_000 * (fails ? 0.3 + 2.5 * Math.random() : 1 + 6 * Math.random())
    }
    response.statusCode = fails ? 503 : 200
    setTimeout(() => response.end('{}'), 10 + 50 * Math.random())
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = `http://127.0.0.1:${server.address().port}/`
  for (let [done, waitMs] = [0, 100]; done < total;) {
    const answer = await fetch(address)
    await answer.text()
    if (answer.ok) {
      report((done += 1), total)
      waitMs = 100
    } else {
      await pause(waitMs)
      waitMs *= 2
    }
  }
  server.close()
  server.closeAllConnections()
}

async function importBatches(report) {
  const total = 40_000
  const rows = new Map()
  for (let done = 0; done < total;) {
    const batch = Math.min(total - done, 200 + Math.floor(2_300 * Math.random()))
    for (let row = 0; row < batch; row += 1) {
      rows.set(`${done + row}`, JSON.stringify({ row, text: 'x'.repeat(200) }))
      if (row % 2 === 0) await pause(1)
    }
    await pause(200 + 800 * Math.random())
    report((done += batch), total)
  }
}

async function findPrimes(report) {
  const total = 1_100_000
  const primes = [2]
  for (let number = 3; primes.length < total; number += 2) {
    if (!isPrime(number, primes)) continue
    primes.push(number)
    report(primes.length, total)
    if (primes.length % 100 === 0) await pause(0)
  }
}

function isPrime(number, primes) {
  for (const prime of primes) {
    if (prime * prime > number) return true
    if (number % prime === 0) return false
  }
  return true
}

async function drawTriangle(report) {
  const total = 55_000
  const line = []
  for (let done = 1; done <= total; done += 1) {
    line.push(1)
    for (let at = line.length - 2; at > 0; at -= 1) line[at] = ((line[at] ?? 0) + (line[at - 1] ?? 0)) % 1_000_003
    report(done, total)
    if (done % 10 === 0) await pause(0)
  }
}
