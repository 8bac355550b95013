import { fileURLToPath } from 'node:url'
import { runnerImport } from 'vite'

// Runs a program of this folder as it stands, on any Node that the repository supports: `check HISTORY.jsonl`, `nemesis --seconds 300`.

const [name, ...args] = process.argv.slice(2)
if (name !== 'check' && name !== 'nemesis') throw new Error('usage: node tests/cluster/run.mjs check|nemesis …')
const conditions = ['@holdfast/source', 'node', 'import', 'default']
const options = { configFile: false, resolve: { conditions }, ssr: { resolve: { conditions } } }
const { module } = await runnerImport(fileURLToPath(new URL(`${name}.ts`, import.meta.url)), options)
process.exitCode = await module.main(args)
// What a program was still about to do is of no use to anybody.
process.exit()
