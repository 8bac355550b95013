/** What stands between the cells of a CSV file: comma, semicolon or tab, whichever its heading has most of; the comma when it has none. */
export function delimiterOf(text: string): string {
  const heading = (/^\s*(.*)/.exec(text)?.[1] ?? '').replace(/"[^"]*"/g, '')
  const count = (delimiter: string): number => heading.split(delimiter).length
  return [',', ';', '\t'].reduce((best, other) => (count(other) > count(best) ? other : best))
}
