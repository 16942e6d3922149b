import type { Catalog, ComponentDeclaration } from '../pipeline/component.ts'
import { componentKinds, sectionOf } from '../service/resolve-type.ts'

interface ListOptions {
  readonly isJson: boolean
  readonly version: string
}

/** Every component of the catalog, as a table for people or as JSON for programs. */
export function listComponents(catalog: Catalog, { isJson, version }: ListOptions): string {
  if (isJson) {
    const buildinfo = { command: 'penstock', description: 'Penstock telemetry gateway', version }
    const lists = componentKinds.map(
      (kind) => [sectionOf[kind], sorted(catalog, kind).map(jsonComponent)] as const,
    )
    return `${JSON.stringify({ buildinfo, ...Object.fromEntries(lists) }, null, 2)}\n`
  }
  const rows = componentKinds.flatMap((kind) => sorted(catalog, kind).map(textRow))
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column].length)))
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd()
  const blocks = componentKinds.map((kind) => {
    const listed = sorted(catalog, kind).map((declaration) => `  ${line(textRow(declaration))}`)
    return [`${sectionOf[kind]}:`, ...(listed.length > 0 ? listed : ['  none'])].join('\n')
  })
  return `${blocks.join('\n\n')}\n`
}

function sorted(catalog: Catalog, kind: (typeof componentKinds)[number]): ComponentDeclaration[] {
  const declarations: readonly ComponentDeclaration[] = catalog[sectionOf[kind]]
  return [...declarations].sort((a, b) => a.type.localeCompare(b.type))
}

function textRow(declaration: ComponentDeclaration): [string, string, string, string] {
  const { type, aliases = [], stability, summary } = declaration
  const also = aliases.length > 0 ? ` (also ${aliases.join(', ')})` : ''
  return [type + also, stability, signalText(declaration), summary]
}

/** `traces, logs`, or for connectors `traces to metrics`. */
export function signalText(declaration: ComponentDeclaration): string {
  if (declaration.kind === 'extension') return ''
  if (declaration.kind !== 'connector') return declaration.signals.join(', ')
  return declaration.routes
    .map(([from, to]) => (from === to ? from : `${from} to ${to}`))
    .join(', ')
}

function jsonComponent(declaration: ComponentDeclaration) {
  const { type, aliases = [], stability, summary } = declaration
  const flow =
    declaration.kind === 'extension'
      ? {}
      : declaration.kind === 'connector'
        ? { routes: declaration.routes.map(([from, to]) => ({ from, to })) }
        : { signals: declaration.signals }
  return { name: type, aliases, stability, ...flow, summary }
}
