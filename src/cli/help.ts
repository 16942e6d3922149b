import { commandOf, type CommandName, commands, flagOf, type FlagName } from './commands.ts'

/** `penstock --help`. */
export function generalHelp(version: string): string {
  const names = (Object.keys(commands) as CommandName[]).filter((name) => !commandOf(name).isHidden)
  const rows = names.map((name) => [name, commandOf(name).summary] as const)
  return `penstock ${version}: a telemetry gateway that runs OpenTelemetry Collector configuration

Usage: penstock [COMMAND] [FLAGS]

Commands:
${table(rows)}

Flags of run and validate:
${table([...commandOf('run').flags.map(flagRow), flagRow('help'), flagRow('version')])}

Examples:
  penstock --config gateway.yaml
  penstock validate --config gateway.yaml
  penstock validate --config base.yaml --set exporters.otlp_http.endpoint=http://tempo:4318
  penstock schema > penstock.schema.json

Exit codes: 0 fine, 1 failed while running, 64 wrong use of the command, 78 errors in the configuration.
\`penstock COMMAND --help\` tells more of a command.
`
}

/** `penstock validate --help`. */
export function commandHelp(name: CommandName): string {
  const { summary, flags, formats, examples } = commandOf(name)
  const rows = [...flags, 'help' as const].map((flag) =>
    flag === 'format' && formats !== undefined
      ? ([`--format ${formats.join('|')}`, `form of the output, ${formats[0]} by default`] as const)
      : flagRow(flag),
  )
  return `penstock ${name}: ${summary}

Usage: penstock ${name}${flags.length > 0 ? ' [FLAGS]' : ''}

Flags:
${table(rows)}

Examples:
${examples.map((example) => `  ${example}`).join('\n')}
`
}

function flagRow(name: FlagName): readonly [string, string] {
  const { value, short, help } = flagOf(name)
  const head = short === undefined ? `--${name}` : `-${short}, --${name}`
  return [value === undefined ? head : `${head} ${value}`, help]
}

function table(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([head]) => head.length))
  return rows.map(([head, text]) => `  ${head.padEnd(width)}  ${text}`).join('\n')
}
