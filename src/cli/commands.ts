/** Every command and flag, each declared once: the parser and the help are made from these tables. */

interface Flag {
  /** What stands for its value in the help; undefined when it takes none. */
  readonly value: string | undefined
  readonly short?: string
  readonly help: string
}

export const flags = {
  config: {
    value: 'FILE',
    short: 'c',
    help: 'configuration to read: a path, env:NAME or yaml:TEXT; several are merged in order',
  },
  set: {
    value: 'KEY=VALUE',
    help: 'one setting laid over the files, such as processors.batch.timeout=1s; repeatable',
  },
  'feature-gates': {
    value: 'LIST',
    help: "accepted so that the Collector's scripts keep working; without effect",
  },
  format: { value: 'FORM', help: '' },
  mode: { value: 'redacted', help: 'secrets always print as [REDACTED]' },
  json: { value: undefined, help: 'the same as one JSON object, for programs' },
  help: { value: undefined, short: 'h', help: 'show this help, or that of a command' },
  version: { value: undefined, short: 'v', help: 'show the version' },
} as const satisfies Record<string, Flag>

export type FlagName = keyof typeof flags

interface Command {
  readonly summary: string
  readonly flags: readonly FlagName[]
  /** What --format may be; the first is the default. */
  readonly formats?: readonly string[]
  /** Left out of the help: for work on Penstock itself. */
  readonly isHidden?: boolean
  readonly examples: readonly string[]
}

export const commands = {
  run: {
    summary: 'run the gateway until it is asked to end (SIGTERM, SIGINT); the default command',
    flags: ['config', 'set', 'feature-gates'],
    examples: ['penstock --config gateway.yaml', 'penstock --config base.yaml --config eu.yaml'],
  },
  validate: {
    summary: 'check a configuration and say everything that is wrong with it; exit code 0 or 78',
    flags: ['config', 'set', 'json', 'feature-gates'],
    examples: ['penstock validate --config gateway.yaml'],
  },
  'print-config': {
    summary: 'show the configuration after merging and expansion, secrets redacted',
    flags: ['config', 'set', 'format', 'mode', 'feature-gates'],
    formats: ['yaml', 'json'],
    examples: ['penstock print-config --config base.yaml --config eu.yaml'],
  },
  components: {
    summary: 'list the components of this build',
    flags: ['format', 'json'],
    formats: ['text', 'json'],
    examples: ['penstock components', 'penstock components --json'],
  },
  schema: {
    summary: 'print the JSON Schema of the configuration, for editors',
    flags: [],
    examples: ['penstock schema > penstock.schema.json'],
  },
  'generate-reference': {
    summary: 'write docs/reference from the declarations',
    flags: [],
    isHidden: true,
    examples: ['npm run generate'],
  },
} as const satisfies Record<string, Command>

export type CommandName = keyof typeof commands

/** The table entry in its general form. */
export function commandOf(name: CommandName): Command {
  return commands[name]
}

export function flagOf(name: FlagName): Flag {
  return flags[name]
}
