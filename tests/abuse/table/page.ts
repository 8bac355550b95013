import type { AbuseCase, Section } from './cases.js'
import type { Shown } from './titles.js'

/** Where the page stands, from the root of the repository. */
export const PAGE = 'docs/reference/abuse-cases.md'

const HEAD = `# Abuse cases and their tests

What attackers and broken clients do, what they get for it, and the tests that do it to a server. Each case has a number; a test about it begins its title
with that number, so \`npx vitest run -t T-028\` does one of them. The tests also watch a well-behaved client on the same node, which must not notice, and
what the node holds, which must return to what it was.

This page is made of the titles: \`UPDATE_ABUSE_TABLE=1 npx vitest run tests/abuse/table.test.ts\` writes it, and a test fails when it is out of date. Where a case
does not apply the reason stands in the place of the tests. What goes wrong without anybody's intent is on the page of [faults](faults.md).

What is noticed is a line of the log: \`protocol.violation\` for a frame or a command against the rules, with \`rule\`, \`connection\`, \`address\`, and \`tenant\` and \`user\` once
they are known; \`connection.slow\` for a reader that was given up; \`engine.poisoned\` for what others have written into a log, with \`tenant\`, \`channel\` and \`offset\`;
\`config.insecure\` for a Redis beyond this machine without a password or TLS. No line holds what was sent.
`

/** The page: a table for each section, with the tests by case. */
export function renderPage(sections: readonly Section[], shown: readonly Shown[]): string {
  const tables = sections.map(({ title, cases }) => {
    const rows = cases.map((one) => `| ${one.id} | ${one.attack} | ${one.answer} | ${shownBy(one, shown)} |`)
    return `## ${title}\n| case | what is done | what it gets | shown by |\n|---|---|---|---|\n${rows.join('\n')}\n`
  })
  return `${HEAD}\n${tables.join('\n')}`
}

function shownBy({ id, reason }: AbuseCase, shown: readonly Shown[]): string {
  const tests = shown.filter((test) => test.id === id)
  if (tests.length === 0) return reason === undefined ? '' : `does not apply: ${reason}`
  return Array.from(
    byFile(tests),
    ([path, some]) => `${linkTo(path)}: ${some.map(({ title }) => escape(title)).join('; ')}`,
  ).join('<br>')
}

function byFile(tests: readonly Shown[]): Map<string, Shown[]> {
  const files = new Map<string, Shown[]>()
  for (const test of tests) files.set(test.path, [...(files.get(test.path) ?? []), test])
  return files
}

function linkTo(path: string): string {
  return `[${path.slice(path.lastIndexOf('/') + 1, -'.test.ts'.length)}](../../${path})`
}

/** As text in a cell of a table, whatever marks it holds. */
function escape(title: string): string {
  return title.replaceAll(/[\\|<>_*[\]`]/g, String.raw`\$&`)
}
