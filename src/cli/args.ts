/** Reads the command line: a command, then flags. Flags are those of the Collector where it has one. */
import { parseArgs } from 'node:util'
import { didYouMean } from '../config/nearest.ts'
import { commandOf, commands, type CommandName, flags, type FlagName } from './commands.ts'

export interface Arguments {
  readonly command: CommandName
  readonly wantsHelp: boolean
  readonly wantsVersion: boolean
  readonly configs: readonly string[]
  readonly sets: readonly string[]
  readonly featureGates: readonly string[]
  readonly format: string | undefined
  readonly json: boolean
  readonly mode: string
}

const options = {
  config: { type: 'string', multiple: true, short: 'c' },
  set: { type: 'string', multiple: true },
  'feature-gates': { type: 'string', multiple: true },
  format: { type: 'string' },
  mode: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean', short: 'v' },
} as const satisfies Record<FlagName, object>

/** The arguments, or what is wrong with them as a sentence. Without a command it is `run`. */
export function readArguments(argv: readonly string[]): Arguments | string {
  const { tokens, values, positionals } = parseArgs({
    args: [...argv],
    options,
    strict: false,
    allowPositionals: true,
    tokens: true,
  })
  const [word = 'run', ...rest] = positionals
  const command = commandNamed(word)
  if (command === undefined) {
    const names = [...Object.keys(commands), 'help']
    return `${word} is not a command${didYouMean(word, names)}${looksLikeFile(word)}`
  }
  for (const token of tokens) {
    if (token.kind !== 'option') continue
    const problem = flagProblem(token, command)
    if (problem !== undefined) return problem
  }
  if (word !== 'help' && rest.length > 0) return `${rest[0]} is not expected after ${word}`
  const asked = word === 'help' && rest[0] !== undefined ? commandNamed(rest[0]) : command
  if (asked === undefined) return `${rest[0]} is not a command`
  return {
    command: asked,
    wantsHelp: values.help === true || word === 'help',
    wantsVersion: values.version === true,
    configs: texts(values.config),
    sets: texts(values.set),
    featureGates: texts(values['feature-gates']),
    format: typeof values.format === 'string' ? values.format : undefined,
    json: values.json === true,
    mode: typeof values.mode === 'string' ? values.mode : 'redacted',
  }
}

function commandNamed(word: string): CommandName | undefined {
  if (word === 'help') return 'run'
  if (word === 'print-initial-config') return 'print-config'
  return Object.hasOwn(commands, word) ? (word as CommandName) : undefined
}

interface OptionToken {
  readonly name: string
  readonly rawName: string
  readonly value: string | undefined
}

function flagProblem(token: OptionToken, command: CommandName): string | undefined {
  const { name, rawName, value } = token
  if (!Object.hasOwn(flags, name)) {
    const known = Object.keys(flags).map((each) => `--${each}`)
    return `${rawName} is not a known flag${didYouMean(rawName, known)}`
  }
  const flag = name as FlagName
  const always: readonly FlagName[] = ['help', 'version']
  if (!always.includes(flag) && !commandOf(command).flags.includes(flag)) {
    return `--${name} does not belong to ${command}`
  }
  const { value: word } = flags[flag]
  if (word !== undefined && (value === undefined || value === '')) {
    return `--${name} needs a value: --${name} ${word}`
  }
  if (word === undefined && value !== undefined) return `--${name} takes no value`
  return undefined
}

function looksLikeFile(word: string): string {
  return /\.ya?ml$|\//.test(word) ? `; to run a configuration, write --config ${word}` : ''
}

function texts(values: readonly (string | boolean)[] | string | boolean | undefined): string[] {
  return Array.isArray(values) ? values.filter((each) => typeof each === 'string') : []
}
