import { fileURLToPath } from 'node:url'
import { runnerImport } from 'vite'

// Runs check.ts as it stands, on any Node that the repository supports.
const { module } = await runnerImport(fileURLToPath(new URL('check.ts', import.meta.url)), { configFile: false })
process.exitCode = module.main(process.argv.slice(2))
