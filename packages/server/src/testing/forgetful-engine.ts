import type { Engine, PublishRequest } from '../engine/engine.js'

/** An engine that does all it is asked to, and loses the answers of those publishes that `isLost` says. */
export function forgetfulEngine(engine: Engine, isLost: (request: PublishRequest) => boolean): Engine {
  const publish: Engine['publish'] = async (request) => {
    const outcome = await engine.publish(request)
    if (!isLost(request)) return outcome
    throw Object.assign(new Error('the answer was lost'), { code: 'engine_unavailable' })
  }
  return new Proxy(engine, {
    get: (target, name) => {
      if (name === 'publish') return publish
      const member: unknown = Reflect.get(target, name)
      return typeof member === 'function' ? (member.bind(target) as unknown) : member
    },
  })
}
