/**
 * What the standalone server allows where the configuration names no channels: rooms for every user of the tenant, an
 * inbox for each user, operations for their owners. Everything else is refused.
 */
export const DEFAULT_CHANNELS = {
  'room:*': {
    subscribe: 'member',
    publish: 'member',
    signal: 'member',
    presence: true,
    history: { size: 1000, ttl: '1h' },
  },
  'user:{user}': {
    subscribe: 'member',
    publish: 'server',
    history: { size: 1000, ttl: '1h' },
    inbox: true,
  },
  'operation:{id}': {
    subscribe: 'owner',
    publish: 'nobody',
    history: { size: 100, ttl: '24h' },
    slow: 'latest',
  },
} as const
