import { defineConfig } from 'vitest/config'

/** Tests import the packages' sources, so that a change is tested without a build. */
const conditions = ['@holdfast/source', 'node']

const resolution = { resolve: { conditions }, ssr: { resolve: { conditions } } }
/** Bounds of what hangs, not of what is slow (a machine may give a tenth of a processor): waits inside a test end first and say what did not come. */
const bounds = { testTimeout: 120_000, hookTimeout: 120_000, expect: { poll: { timeout: 20_000 } } }
const common = { ...bounds, setupFiles: ['tests/kit/repeatable.ts'] }

/** Units that need a process of their own: they measure memory or processor time, replace a package, or change the environment. */
const alone = [
  'packages/client/src/forgetting.test.ts',
  'packages/protocol/src/codec.test.ts',
  'packages/server/src/core/soak.test.ts',
  'packages/server/src/engine/redis/connector.test.ts',
  'packages/server/src/outbound/guarded-outbound.test.ts',
  'apps/fill-scheduler/src/accounts/password.test.ts',
  'apps/fill-scheduler/src/io/reports/pdf.test.ts',
  'apps/fill-scheduler/src/planning/improver/improver.test.ts',
  'apps/fill-scheduler/src/planning/strategies/speed.test.ts',
]

/** What starts whole systems and waits for them: two at a time. */
const systems = [
  'tests/deploy/**/*.test.ts',
  'tests/cluster/kit/**/*.test.ts',
  'tests/cluster/{conformance,credentials,engine-*,event-streams,notifications,operations-http,reports-guide}.test.ts',
  'tests/faults/{client,disk}-*.test.ts',
]

/** What starts whole systems and measures what they do: one at a time, so that none is measured while another uses the machine. */
const scenarios = [
  ...['cluster', 'faults', 'reliability'].map((folder) => `tests/${folder}/**/*.test.ts`),
  'tests/abuse/hostile-crowd.test.ts',
]

/** One more than the smallest machine has cores: many tests wait for a process or a page. */
const maxWorkers = 3

const nowhere = ['**/node_modules/**']

export default defineConfig({
  test: {
    projects: [
      {
        ...resolution,
        test: {
          // Before `units`, in the order of names: what takes long begins first.
          name: 'processes',
          include: ['tests/**/*.test.ts', ...alone],
          exclude: [...nowhere, ...systems, ...scenarios],
          maxWorkers,
          sequence: { groupOrder: 0 },
          ...common,
        },
      },
      {
        ...resolution,
        test: {
          name: 'units',
          include: ['{packages,apps}/*/src/**/*.test.ts', 'bench/src/**/*.test.ts'],
          exclude: [...nowhere, ...alone],
          // One process runs many files, one after the other: to start another and load the sources again takes longer than most of them.
          isolate: false,
          maxWorkers,
          sequence: { groupOrder: 0 },
          ...common,
        },
      },
      {
        ...resolution,
        test: {
          name: 'systems',
          include: systems,
          exclude: nowhere,
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
          ...common,
        },
      },
      {
        ...resolution,
        test: {
          name: 'scenarios',
          include: scenarios,
          exclude: [...nowhere, ...systems],
          fileParallelism: false,
          sequence: { groupOrder: 2 },
          ...common,
        },
      },
    ],
  },
})
