import { Argument, type Command } from 'commander'
import { everyCommand } from './catalogue.js'
import { type Declare, examples } from './command.js'

const SHELLS = ['bash', 'zsh', 'fish'] as const

/** `holdfast completion`: a script for a shell, made of the commands themselves. */
export const declareCompletion: Declare = (command, context) => {
  command
    .addArgument(new Argument('<shell>', 'for which shell').choices(SHELLS))
    .addHelpText(
      'after',
      examples(
        'holdfast completion bash > ~/.local/share/bash-completion/completions/holdfast',
        'holdfast completion zsh > ~/.zfunc/_holdfast',
        'holdfast completion fish > ~/.config/fish/completions/holdfast.fish',
      ),
    )
    .action(async (shell: (typeof SHELLS)[number]) => {
      context.shell.stdout.write(SCRIPTS[shell](placesOf(await everyCommand(context), [])))
    })
}

/** What may stand at one place: `run`, `operation report`, or the program itself. */
interface Place {
  readonly path: readonly string[]
  readonly words: readonly { readonly word: string; readonly summary: string }[]
}

function placesOf(command: Command, path: readonly string[]): readonly Place[] {
  const help = command.createHelp()
  const commands = help.visibleCommands(command).map((inner) => ({ word: inner.name(), summary: inner.description() }))
  const options = help
    .visibleOptions(command)
    .map((option) => ({ word: option.long ?? option.short ?? '', summary: option.description }))
  const inner = command.commands.flatMap((one) => placesOf(one, [...path, one.name()]))
  return [{ path, words: [...commands, ...options].filter(({ word }) => word !== '') }, ...inner]
}

const caseOf = ({ path, words }: Place): string =>
  `    '${path.join(' ')}') words='${words.map(({ word }) => word).join(' ')}' ;;`

/** The commands that stand before the word, as far as they are known places. */
const PLACE_LOOP = (names: string): string => `  local place='' word
  for word in ${names}; do
    case "$word" in -*) continue ;; esac
    if [ -z "$place" ]; then place="$word"; else place="$place $word"; break; fi
  done`

const SCRIPTS: Readonly<Record<(typeof SHELLS)[number], (places: readonly Place[]) => string>> = {
  bash: (places) => `# bash completion for holdfast
_holdfast() {
${PLACE_LOOP('"${COMP_WORDS[@]:1:COMP_CWORD-1}"')}
  local words=''
  case "$place" in
${places.map(caseOf).join('\n')}
${outerCases(places)}
  esac
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
  [ \${#COMPREPLY[@]} -gt 0 ] || COMPREPLY=($(compgen -f -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o filenames -F _holdfast holdfast
`,
  zsh: (places) => `#compdef holdfast
_holdfast() {
${PLACE_LOOP('"${(@)words_before}"').replace('  local place', '  local -a words_before\n  words_before=("${(@)words[2,CURRENT-1]}")\n  local place').replaceAll("words=''", "list=''")}
  local list=''
  case "$place" in
${places.map(caseOf).join('\n').replaceAll(" words='", " list='")}
${outerCases(places).replaceAll(" words='", " list='")}
  esac
  compadd -- \${=list} || _files
}
if [ "$funcstack[1]" = "_holdfast" ]; then _holdfast "$@"; else compdef _holdfast holdfast; fi
`,
  fish: (places) => `# fish completion for holdfast
${places.flatMap(fishLines).join('\n')}
`,
}

/** Behind the argument of a command the words of the command go on. */
function outerCases(places: readonly Place[]): string {
  return places
    .filter(({ path }) => path.length === 1)
    .map((place) => caseOf(place).replace(`'${place.path[0]}')`, `'${place.path[0]} '*)`))
    .join('\n')
}

function fishLines({ path, words }: Place): string[] {
  const [first, second] = path
  const seen = (name: string): string => `__fish_seen_subcommand_from ${name}`
  const where =
    first === undefined
      ? '__fish_use_subcommand'
      : second === undefined
        ? seen(first)
        : `${seen(first)}; and ${seen(second)}`
  return words.map(({ word, summary }) => {
    const what = word.startsWith('--') ? `-l ${word.slice(2)}` : `-f -a ${word}`
    return `complete -c holdfast -n '${where}' ${what} -d '${summary.replaceAll("'", '’')}'`
  })
}
