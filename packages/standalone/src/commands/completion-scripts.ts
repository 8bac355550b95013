/** The shells that there is a script for. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const

/** What may stand at one place of a command line: behind `run`, behind `operation report`, or behind the program itself. */
export interface Place {
  readonly path: readonly string[]
  readonly words: readonly Word[]
}

interface Word {
  readonly word: string
  readonly summary: string
  /** An option whose value is the next word. */
  readonly takesValue?: boolean
}

/** The script of each shell. All three go by the same rule: the commands before the cursor make the place, and what an option takes is none of its words. */
export const COMPLETION_SCRIPTS: Readonly<Record<(typeof SHELLS)[number], (places: readonly Place[]) => string>> = {
  // Not `-o filenames`: a word that a folder here is called like, too, would end in a slash.
  bash: (places) => `# bash completion for holdfast
_holdfast() {
${placeLoop(places, '"${COMP_WORDS[@]:1:COMP_CWORD-1}"')}
  COMPREPLY=($(compgen -W "$list" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o bashdefault -o default -F _holdfast holdfast
`,
  zsh: (places) => `#compdef holdfast
_holdfast() {
${placeLoop(places, '"${(@)words[2,CURRENT-1]}"')}
  compadd -- \${=list} || _files
}
if [ "$funcstack[1]" = "_holdfast" ]; then _holdfast "$@"; else compdef _holdfast holdfast; fi
`,
  fish: (places) => `# fish completion for holdfast
function __holdfast_at
    set -l place ''
    set -l skip 0
    for word in (commandline -opc)[2..-1]
        if test $skip = 1
            set skip 0
            continue
        end
        switch $word
            case --
                set place --
                break
            case ${valued(places).join(' ')}
                set skip 1
            case '-*'
            case '*'
                switch $place
                    case '' ${outer(places).join(' ')}
                        set place (string trim "$place $word")
                end
        end
    end
    test "$place" = "$argv[1]"
end
${places.flatMap(fishLines).join('\n')}
`,
}

/** Leaves in `list` what may stand at the cursor; nothing where that is a value, or the command of another. */
function placeLoop(places: readonly Place[], before: string): string {
  return `  local place='' skip='' list='' word
  for word in ${before}; do
    if [ -n "$skip" ]; then skip=''; continue; fi
    case "$word" in
      --) place='--'; break ;;
      ${valued(places).join('|')}) skip=1 ;;
      -*) ;;
      *) case "$place" in ''|${outer(places).join('|')}) place="\${place:+$place }$word" ;; esac ;;
    esac
  done
  if [ -n "$skip" ]; then place='--'; fi
  case "$place" in
${places.map(({ path, words }) => `    '${path.join(' ')}') list='${words.map(({ word }) => word).join(' ')}' ;;`).join('\n')}
  esac`
}

/** Options behind which a value stands. */
function valued(places: readonly Place[]): readonly string[] {
  const words = places.flatMap(({ words }) => words).filter(({ takesValue }) => takesValue)
  return [...new Set(words.map(({ word }) => word))]
}

/** Commands behind which another one stands. */
function outer(places: readonly Place[]): readonly string[] {
  return [...new Set(places.filter(({ path }) => path.length > 1).map(({ path }) => path[0]!))]
}

function fishLines({ path, words }: Place): readonly string[] {
  return words.map(({ word, summary, takesValue }) => {
    const what = word.startsWith('--') ? `${takesValue ? '-r ' : ''}-l ${word.slice(2)}` : `-f -a ${word}`
    return `complete -c holdfast -n '__holdfast_at "${path.join(' ')}"' ${what} -d '${summary.replaceAll("'", '’')}'`
  })
}
