import type { CandidateName } from './candidates/candidate.js'
import { Child } from './child.js'
import type { GeneratorRequests, ServerRequests } from './requests.js'

const SERVER_CORE = 0
const GENERATOR_CORE = 1

/** The process of a candidate's server. */
export interface ServerProcess {
  readonly candidate: CandidateName
  readonly port: number
  readonly process: Child<ServerRequests>
}

/** Starts the server of a candidate on the processor of the servers, with forced collections at hand. */
export async function startServer(candidate: CandidateName, profileFolder: string | undefined): Promise<ServerProcess> {
  const profile = profileFolder === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileFolder}`]
  const process = new Child<ServerRequests>({
    file: './server-process.js',
    args: [candidate],
    nodeFlags: ['--expose-gc', ...profile],
    core: SERVER_CORE,
  })
  return { candidate, port: Number(await process.greeting()), process }
}

/** Starts the generator on the other processor. */
export async function startGenerator(): Promise<Child<GeneratorRequests>> {
  const process = new Child<GeneratorRequests>({ file: './generator-process.js', core: GENERATOR_CORE })
  await process.greeting()
  return process
}
