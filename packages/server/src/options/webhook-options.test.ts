import { describe, expect, it } from 'vitest'
import { resolveOptions } from '../options.js'
import { TEST_SECRET } from '../testing/test-node.js'
import { OptionsError } from './options-error.js'

const SECRET = 'bN4xT9cL2kR6nY8sJ3hF5dG0pAeUoIqX'

const resolve = (webhooks: unknown, options: object = {}): ReturnType<typeof resolveOptions>['webhooks'] =>
  resolveOptions({ auth: { secret: TEST_SECRET }, webhooks, ...options } as never).webhooks

function problemOf(webhooks: unknown, options: object = {}): string {
  try {
    resolve(webhooks, options)
  } catch (error) {
    expect(error).toBeInstanceOf(OptionsError)
    return (error as Error).message
  }
  return 'nothing is wrong'
}

const at = (url: string, more: object = {}): object => ({ secret: SECRET, subscribe: { url }, ...more })

describe('webhooks that decide', () => {
  it('are none when the options name none', () => expect(resolve(undefined)).toBeUndefined())

  it('are addresses, and a secret to sign with', () => {
    const found = resolve({ secret: SECRET, connect: { url: 'https://app.example.com/c?x=1' } })
    expect(found).toMatchObject({ secret: SECRET, allowPrivate: false })
    expect(found?.urls.connect?.href).toBe('https://app.example.com/c?x=1')
    expect(found?.urls.subscribe).toBeUndefined()
  })

  it('may be on this machine over http where the options say so', () => {
    expect(resolve(at('http://127.0.0.1:9/x', { allowPrivate: true }))?.allowPrivate).toBe(true)
    expect(problemOf(at('http://127.0.0.1:9/x'))).toContain('webhooks.subscribe.url must be an https address')
  })

  it.each([
    'app.example.com',
    '/decide',
    '',
    'ftp://app.example.com',
    'file:///etc/passwd',
    'javascript:1',
    'https://ada:hunter2@app.example.com/',
    'https://token@app.example.com/',
  ])('are not at %j, and no password of it is shown', (url) => {
    for (const more of [{}, { allowPrivate: true }]) {
      const problem = problemOf(at(url, more))
      expect(problem).toContain('webhooks.subscribe.url must be an https address without credentials')
      expect(problem).not.toMatch(/hunter2|token/)
    }
  })

  it.each<[unknown, string]>([
    [{}, 'webhooks.secret must be text of at least 32 bytes'],
    [{ secret: 'short' }, 'webhooks.secret must be at least 32 bytes, received 5'],
    [{ secret: SECRET, subscribe: 'https://a.example' }, 'webhooks.subscribe must be { url }'],
    [{ secret: SECRET, publish: { url: 7 } }, 'webhooks.publish.url must be an https address'],
    [{ secret: SECRET, allowPrivate: 'yes' }, 'webhooks.allowPrivate must be true or false, received "yes"'],
    [{ secret: SECRET, presence: { url: 'https://a.example' } }, 'webhooks has no option "presence"'],
    ['https://a.example', 'webhooks must be a mapping with secret'],
  ])('%j are refused by name', (webhooks, message) => expect(problemOf(webhooks)).toContain(message))

  it('have a secret that nobody knows from a tutorial, outside development', () => {
    const known = { secret: 'secretsecretsecretsecretsecretsecret' }
    expect(problemOf(known)).toBe('nothing is wrong')
    expect(problemOf(known, { environment: 'production', origins: ['https://app.example.com'] })).toContain(
      'webhooks.secret must not be a known or repeated word in production',
    )
  })
})
