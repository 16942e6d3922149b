import { type Arguments, readArguments } from './args.ts'
import { commandOf } from './commands.ts'
import { commandHelp, generalHelp } from './help.ts'
import { type CliIo, exitCodes } from './io.ts'

/** Does what the command line asks and gives the exit code. Each command is loaded only when asked for. */
export async function main(argv: readonly string[], io: CliIo, version: string): Promise<number> {
  const args = readArguments(argv)
  if (typeof args === 'string') return misused(args, io)
  if (args.wantsVersion) {
    io.print(`penstock ${version}\n`)
    return exitCodes.ok
  }
  if (args.wantsHelp) {
    const isGeneral = args.command === 'run'
    io.print(isGeneral ? generalHelp(version) : commandHelp(args.command))
    return exitCodes.ok
  }
  const problem = argumentProblem(args)
  if (problem !== undefined) return misused(problem, io)
  if (args.featureGates.length > 0) {
    const gates = args.featureGates.join(',')
    io.say(`note: --feature-gates ${gates} is accepted and has no effect\n`)
  }
  return dispatch(args, io, version)
}

async function dispatch(args: Arguments, io: CliIo, version: string): Promise<number> {
  const { catalog } = await import('../components/catalog.ts')
  switch (args.command) {
    case 'run': {
      const { run } = await import('./run.ts')
      return run(args, io, version)
    }
    case 'validate': {
      const { validate } = await import('./validate.ts')
      return validate({ sources: args, catalog, json: args.json }, io)
    }
    case 'print-config': {
      const { printConfig } = await import('./print-config.ts')
      return printConfig({ sources: args, catalog, isJson: args.format === 'json' }, io)
    }
    case 'components': {
      const { listComponents } = await import('./components.ts')
      const isJson = args.json || args.format === 'json'
      io.print(listComponents(catalog, { isJson, version }))
      return exitCodes.ok
    }
    case 'schema': {
      const { configJsonSchema } = await import('./json-schema.ts')
      io.print(`${JSON.stringify(configJsonSchema(catalog), null, 2)}\n`)
      return exitCodes.ok
    }
    case 'generate-reference': {
      const { generateReference } = await import('./generate-reference.ts')
      return generateReference(catalog, io)
    }
    default:
      return args.command satisfies never
  }
}

function argumentProblem(args: Arguments): string | undefined {
  const { flags, formats } = commandOf(args.command)
  if (flags.includes('config') && args.configs.length === 0) {
    return `${args.command} needs a configuration: --config FILE`
  }
  if (args.format !== undefined && formats?.includes(args.format) === false) {
    return `--format must be ${formats.join(' or ')}, got ${args.format}`
  }
  if (args.mode !== 'redacted')
    return `--mode must be redacted, got ${args.mode}; secrets never print`
  return undefined
}

function misused(problem: string, io: CliIo): number {
  io.say(`penstock: ${problem}\nTry: penstock --help\n`)
  return exitCodes.usage
}
