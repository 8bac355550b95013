// A server of the fill scheduler as a program: takes its options as JSON, prints where it is, and ends with SIGTERM as a deploy ends it, or with its input.
import { startServer } from '../../../apps/fill-scheduler/dist/api/server.js'

process.stdin.resume().once('end', () => process.exit(1))

const line = (level) => (fields, message) => console.error(JSON.stringify({ level, message, ...fields }))
const log = { debug: () => undefined, info: () => undefined, warn: line('warn'), error: line('error') }

const server = await startServer({ ...JSON.parse(process.argv[2] ?? '{}'), log })
console.log(JSON.stringify({ url: server.url, signInUrl: server.signInUrl }))

process.once('SIGTERM', () => void server.close().then(() => process.exit(0)))
