import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type TestNode, startNode } from '../testing/test-node.js'

let node: TestNode
let url: string

beforeAll(async () => {
  node = await startNode()
  url = `http://${node.host}:${node.port}/api/v1`
})

afterAll(() => node.close())

describe('an address of the API', () => {
  it('that is none is answered 404', async () => {
    const answer = await fetch(`${url}/nowhere`)
    expect(answer.status).toBe(404)
    expect(await answer.json()).toEqual({
      error: { code: 'not_found', message: 'There is nothing at this address', retryable: false },
    })
    expect(answer.headers.get('cache-control')).toBe('no-store')
  })

  it('says which methods it takes', async () => {
    const answer = await fetch(`${url}/openapi.json`, { method: 'DELETE' })
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET, HEAD, OPTIONS'])
    expect(await answer.json()).toMatchObject({ error: { code: 'method_not_allowed' } })
    const asked = await fetch(`${url}/openapi.json`, { method: 'OPTIONS' })
    expect([asked.status, asked.headers.get('allow')]).toEqual([204, 'GET, HEAD, OPTIONS'])
  })

  it('answers HEAD as GET, without the body', async () => {
    const answer = await fetch(`${url}/openapi.json`, { method: 'HEAD' })
    expect([answer.status, await answer.text()]).toEqual([200, ''])
  })

  it('is described by the document', async () => {
    const document = (await (await fetch(`${url}/openapi.json`)).json()) as { openapi: string; paths: object }
    expect(document.openapi).toBe('3.1.0')
    expect(Object.keys(document.paths)).toContain('/openapi.json')
  })
})
