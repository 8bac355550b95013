import { defineConfig } from 'vitest/config'

/** Tests import the packages' sources, so that a change is tested without a build. */
const conditions = ['@holdfast/source', 'node']

const resolution = { resolve: { conditions }, ssr: { resolve: { conditions } } }
const timeouts = { testTimeout: 20_000, hookTimeout: 60_000 }

/** What starts whole systems and measures what they do: one at a time, so that none is measured while another uses the machine. */
const scenarios = [
  ...['cluster', 'deploy', 'faults', 'reliability'].map((folder) => `tests/${folder}/**/*.test.ts`),
  'tests/abuse/hostile-crowd.test.ts',
]

export default defineConfig({
  test: {
    maxWorkers: 2,
    projects: [
      {
        ...resolution,
        test: {
          name: 'units',
          include: ['{packages,apps}/*/src/**/*.test.ts', 'tests/**/*.test.ts', 'bench/src/**/*.test.ts'],
          exclude: ['**/node_modules/**', ...scenarios],
          sequence: { groupOrder: 0 },
          ...timeouts,
        },
      },
      {
        ...resolution,
        test: {
          name: 'scenarios',
          include: scenarios,
          fileParallelism: false,
          sequence: { groupOrder: 1 },
          ...timeouts,
        },
      },
    ],
  },
})
