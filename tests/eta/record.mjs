// Records how far real work was at which moment, for the tests of the ETA: `nice node tests/eta/record.mjs [name …] [--as b]`. Each recording takes half a minute or more; what was run
// stands in it. Recordings are kept in the repository: they are facts, and are made anew only to add others.

import { spawn } from 'node:child_process'
import { createHash, pbkdf2, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createReadStream, writeFileSync } from 'node:fs'
import { Agent, createServer, get } from 'node:http'
import { connect, createServer as createTcpServer } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import { constants, createGzip, gzip } from 'node:zlib'
import { filesBelow } from './files-below.mjs'
import { FRESH_WORKS } from './fresh-works.mjs'
import { HELD_OUT_WORKS } from './held-out-works.mjs'

/** Milliseconds between two points of a recording, at least. */
const EVERY_MS = 200

const TREE = '/usr/share'

/** What can be recorded. Each reports how much is done, and resolves when all is. */
const WORKS = {
  'download-steady': {
    kind: 'steady',
    what: 'a download of 40 MB through a proxy that lets 1 MB a second through',
    unit: 'bytes',
    run: (report) => download(40e6, () => 1e6, report),
  },
  'keys-steady': {
    kind: 'steady',
    what: 'deriving 5,000 keys, each by the same number of rounds',
    unit: 'keys',
    run: deriveKeys,
  },
  'download-bursty': {
    kind: 'bursty',
    what: 'a download of 60 MB over a line that comes and goes: up to 5 MB a second for some seconds, then next to nothing for up to four',
    unit: 'bytes',
    run: (report) => download(60e6, changingLine(), report),
  },
  'files-bursty': {
    kind: 'bursty',
    what: 'compressing the files of a tree one by one, from bytes to megabytes, counted in files',
    unit: 'files',
    run: compressFiles,
  },
  'tar-bursty': {
    kind: 'bursty',
    what: 'a tar of a tree into a line of 4 MB a second, counted in files',
    unit: 'files',
    run: backUp,
  },
  'gzip-bursty': {
    kind: 'bursty',
    what: 'gzip of 3 GB while other processes come and take the processor',
    unit: 'bytes',
    run: compressUnderLoad,
  },
  'download-slowing': {
    kind: 'slowing',
    what: 'a download of 80 MB through a proxy that slows down from 5 MB to 400 kB a second',
    unit: 'bytes',
    run: (report) => download(80e6, (seconds) => 400e3 + 4.6e6 * Math.exp(-seconds / 12), report),
  },
  'download-fading': {
    kind: 'slowing',
    what: 'a download of 60 MB through a proxy that slows down from 4 MB to 800 kB a second',
    unit: 'bytes',
    run: (report) => download(60e6, (seconds) => 800e3 + 3.2e6 * Math.exp(-seconds / 10), report),
  },
  'compare-slowing': {
    kind: 'slowing',
    what: 'comparing each of 6,500 texts with all before it',
    unit: 'texts',
    run: compareAll,
  },
}

/** Where recordings are kept. */
const FOLDERS = [
  ['traces', WORKS],
  ['held-out', HELD_OUT_WORKS],
  ['fresh', FRESH_WORKS],
]

const [names, label] = readArguments(process.argv.slice(2))
for (const name of names) {
  const [folder, works] = FOLDERS.find(([, works]) => name in works)
  await record(name, works[name], folder)
}

function readArguments(words) {
  const at = words.indexOf('--as')
  const label = at < 0 ? 'a' : words[at + 1]
  const named = at < 0 ? words : words.toSpliced(at, 2)
  return [named.length > 0 ? named : Object.keys(WORKS), label]
}

async function record(name, { kind, what, unit, run }, folder) {
  const started = performance.now()
  const points = []
  let last = -Infinity
  let total = 0
  await run((done, all) => {
    const at = performance.now() - started
    total = all
    if (at - last < EVERY_MS && done < all) return
    last = at
    points.push([Math.round(at), done])
  })
  const text = JSON.stringify({ name: `${name}-${label}`, kind, what, unit, total, points })
  writeFileSync(new URL(`${folder}/${name}-${label}.json`, import.meta.url), `${text}\n`)
  console.log(`${name}-${label}: ${points.length} points in ${(points.at(-1)?.[0] ?? 0) / 1_000} s`)
}

/** Downloads so many bytes through a proxy that lets `rate(seconds)` bytes a second through. */
async function download(total, rate, report) {
  const block = randomBytes(65_536)
  const server = createServer((_, response) => void sendAll(response, block, total)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const proxy = await startProxy(server.address().port, rate)
  const agent = new Agent({ keepAlive: false })
  const [response] = await once(get({ port: proxy.address().port, host: '127.0.0.1', agent }), 'response')
  let done = 0
  for await (const chunk of response) {
    done += chunk.length
    report(Math.min(done, total), total)
  }
  proxy.close()
  server.close()
}

async function sendAll(response, block, total) {
  response.on('error', () => undefined)
  for (let sent = 0; sent < total; sent += block.length)
    if (!response.write(block.subarray(0, Math.min(block.length, total - sent)))) await once(response, 'drain')
  response.end()
}

async function startProxy(port, rate) {
  const started = performance.now()
  const proxy = createTcpServer((client) => {
    const upstream = connect(port, '127.0.0.1')
    client.pipe(upstream)
    upstream.on('error', () => client.destroy())
    client.on('error', () => upstream.destroy())
    void trickle(upstream, client, () => rate((performance.now() - started) / 1_000))
  }).listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  return proxy
}

/** Passes on what comes, as much as the line takes in each twentieth of a second. */
async function trickle(from, to, rate) {
  let credit = 0
  for await (const chunk of from) {
    for (let at = 0; at < chunk.length;) {
      while (credit < 1) {
        await pause(50)
        credit = Math.max(0, credit) + rate() / 20
      }
      const part = chunk.subarray(at, at + Math.ceil(credit))
      at += part.length
      credit -= part.length
      if (!to.write(part)) await once(to, 'drain')
    }
  }
  to.end()
}

/** Rates of a line that comes and goes. */
function changingLine() {
  let until = 0
  let rate = 0
  let isThere = false
  return (seconds) => {
    if (seconds < until) return rate
    isThere = !isThere
    rate = isThere ? 1e6 + 4e6 * Math.random() : 20e3
    until = seconds + (isThere ? 1 + 5 * Math.random() : 0.5 + 3.5 * Math.random())
    return rate
  }
}

async function deriveKeys(report) {
  const derive = promisify(pbkdf2)
  const total = 5_000
  for (let done = 1; done <= total; done += 1) {
    await derive('secret', 'salt', 30_000, 32, 'sha256')
    report(done, total)
  }
}

async function compressFiles(report) {
  const files = filesBelow(TREE, 60_000)
  let done = 0
  for (const file of files) {
    const out = createReadStream(file).pipe(createGzip({ level: 9 }))
    for await (const chunk of out) createHash('sha256').update(chunk)
    report((done += 1), files.length)
  }
}

async function backUp(report) {
  const files = filesBelow(TREE, 4_000)
  const tar = spawn('tar', ['-cvPf', '-', '--no-recursion', '-T', '-'], { stdio: ['pipe', 'pipe', 'pipe'] })
  tar.stdin.end(files.join('\n'))
  let done = 0
  tar.stderr.on('data', (text) => {
    done += String(text).split('\n').length - 1
    report(Math.min(done, files.length), files.length)
  })
  let credit = 0
  for await (const chunk of tar.stdout) {
    credit += chunk.length
    if (credit > 200_000) {
      await pause(50)
      credit -= 200_000
    }
  }
  report(files.length, files.length)
}

async function compressUnderLoad(report) {
  const total = 3e9
  const block = Buffer.concat([randomBytes(400_000), Buffer.alloc(600_000, 'holdfast')])
  const compress = promisify(gzip)
  const rivals = setInterval(() => {
    for (let rival = 0; rival < 3; rival += 1)
      spawn(process.execPath, [
        '-e',
        `const end = Date.now() + ${Math.round(2_000 + 3_000 * Math.random())}; while (Date.now() < end);`,
      ])
  }, 9_000)
  for (let done = 0; done < total; done += block.length) {
    await compress(block, { level: constants.Z_BEST_COMPRESSION })
    report(Math.min(total, done + block.length), total)
  }
  clearInterval(rivals)
}

async function compareAll(report) {
  const total = 6_500
  const texts = []
  for (let done = 1; done <= total; done += 1) {
    const text = randomBytes(600)
    let nearest = Infinity
    for (const other of texts) nearest = Math.min(nearest, distance(text, other))
    texts.push(text)
    report(done, total)
    if (done % 20 === 0) await pause(0)
  }
}

function distance(one, other) {
  let differing = 0
  for (let at = 0; at < one.length; at += 1) if (one[at] !== other[at]) differing += 1
  return differing
}
