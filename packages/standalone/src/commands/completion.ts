import { Argument, type Command } from 'commander'
import { everyCommand } from './catalogue.js'
import { type Declare, examples } from './command.js'
import { COMPLETION_SCRIPTS, type Place, SHELLS } from './completion-scripts.js'

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
      context.shell.stdout.write(COMPLETION_SCRIPTS[shell](placesOf(await everyCommand(context), [])))
    })
}

function placesOf(command: Command, path: readonly string[]): readonly Place[] {
  const help = command.createHelp()
  const commands = help.visibleCommands(command).map((inner) => ({ word: inner.name(), summary: inner.description() }))
  const choices = command.registeredArguments.flatMap(({ argChoices = [], description }) =>
    argChoices.map((word) => ({ word, summary: description })),
  )
  const options = help.visibleOptions(command).map((option) => ({
    word: option.long ?? option.short ?? '',
    summary: option.description,
    takesValue: option.required || option.optional,
  }))
  const inner = command.commands.flatMap((one) => placesOf(one, [...path, one.name()]))
  // Behind `help` stands what is to be explained.
  const explained = commands.length > 0 ? [{ path: [...path, 'help'], words: commands.slice(0, -1) }] : []
  return [
    { path, words: [...commands, ...choices, ...options].filter(({ word }) => word !== '') },
    ...inner,
    ...explained,
  ]
}
