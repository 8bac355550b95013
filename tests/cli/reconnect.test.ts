import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Holdfast } from '@holdfast/client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Workplace, createWorkplace } from './command.js'
import { TcpProxy } from '../kit/tcp-proxy.js'

let place: Workplace
let proxy: TcpProxy
let port: number
let through: string

beforeAll(async () => {
  place = await createWorkplace()
  const files = join(place.directory, 'node_modules')
  await mkdir(files)
  await Promise.all(Array.from({ length: 4000 }, (_, n) => writeFile(join(files, `${n}.txt`), '')))
  const { url } = await place.serve()
  port = Number(new URL(url).port)
  proxy = await TcpProxy.start(port)
  through = proxy.url
})

afterAll(async () => {
  await proxy?.close()
  await place?.close()
})

describe('a command whose connection is cut', () => {
  it('listen prints every message once, in order, those of the break included', async () => {
    const listener = place.start('listen', 'room:cut', '--url', through)
    await listener.printed(/listening/)
    await place.run('publish', 'room:cut', '1')
    await listener.printed(/"offset":1/)
    proxy.switchUpstream(undefined)
    proxy.cut()
    await listener.printed(/connection lost/)
    await place.run('publish', 'room:cut', '2')
    await place.run('publish', 'room:cut', '3')
    proxy.switchUpstream(port)
    await listener.printed(/connected again/)
    await listener.printed(/"offset":3/)
    listener.child.kill('SIGINT')
    const { stdout } = await listener.ended
    const printed = stdout.trim().split('\n')
    expect(printed.map((line) => (JSON.parse(line) as { data: number }).data)).toEqual([1, 2, 3])
  })

  it('watch goes on to the end of the operation', async () => {
    const { stdout } = await place.run('token', '--tenant', 'demo', '--user', 'ada')
    const client = new Holdfast(place.env['HOLDFAST_URL'] ?? '', { token: stdout.trim() })
    const { operation } = await client.call<{ operation: string }>('demo.index', { pace: 'gentle' })
    const watched = place.start('watch', operation, '--url', through)
    await watched.printed(/Reading/)
    proxy.switchUpstream(undefined)
    proxy.cut()
    await watched.printed(/connection lost/)
    proxy.switchUpstream(port)
    const { code, stderr, stdout: lines } = await watched.ended
    client.disconnect()
    expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.stringContaining('connected again') as string })
    expect(lines).toMatch(/completed after/)
  })
})
