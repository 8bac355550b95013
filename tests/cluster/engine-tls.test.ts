import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { KEPT } from '../../packages/server/src/engine/conformance/model.js'
import { engineOn } from '../../packages/server/src/engine/redis/testing/redis-harness.js'
import { freePort } from './kit/free-port.js'
import { RedisServer } from './kit/redis-server.js'

describe('an engine whose Redis is reached over TLS', () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-tls-'))
  const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')]
  let server: RedisServer
  let port: number

  beforeAll(async () => {
    const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost']
    const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
    execFileSync('openssl', ['req', ...kind, '-keyout', key, '-out', certificate, ...names], { stdio: 'ignore' })
    port = await freePort()
    server = await RedisServer.start({
      'tls-port': port,
      'tls-cert-file': certificate,
      'tls-key-file': key,
      'tls-auth-clients': false,
    })
  })
  afterAll(async () => {
    await server.stop()
    rmSync(folder, { recursive: true })
  })

  it('works over it, announcements included', async () => {
    const ca = readFileSync(certificate)
    const engine = engineOn({ servers: [{ host: 'localhost', port }], tls: { ca } })
    await engine.start()
    try {
      expect(engine.problem()).toBeUndefined()
      const message = { event: 'e', data: '1', from: { system: true as const }, at: '' }
      const stream = { tenant: 'acme', channel: 'room:1' }
      expect(await engine.publish({ ...message, stream, retention: KEPT })).toMatchObject({ offset: 1 })
    } finally {
      await engine.close()
    }
  })

  it('T-099 trusts no certificate that nobody vouches for', async () => {
    const engine = engineOn({ servers: [{ host: 'localhost', port }], tls: true })
    await engine.start()
    expect(engine.problem()).toMatch(/self-signed certificate/)
    await engine.close()
  })
})
