import type { ConnectorDeclaration } from '../pipeline/component.ts'
import { pipelinesPath } from './check-pipelines.ts'
import type { CheckedPipeline } from './checked-config.ts'
import type { DefinedByKind } from './defined.ts'
import type { Findings } from './findings.ts'

/** A connector ends one pipeline and begins another, in signals that it can turn into each other. */
export function checkConnectors(
  pipelines: readonly CheckedPipeline[],
  defined: DefinedByKind,
  findings: Findings,
): void {
  for (const { id, declaration } of defined.connector.values()) {
    if (declaration?.kind !== 'connector') continue
    const from = pipelines.filter(({ exporters }) => exporters.includes(id))
    const to = pipelines.filter(({ receivers }) => receivers.includes(id))
    checkEnds({ id, declaration, from, to }, findings)
  }
  checkCycles(pipelines, defined, findings)
}

interface Use {
  readonly id: string
  readonly declaration: ConnectorDeclaration
  readonly from: readonly CheckedPipeline[]
  readonly to: readonly CheckedPipeline[]
}

function checkEnds({ id, declaration, from, to }: Use, findings: Findings): void {
  // A signal that the connector does not take at all is complained of with the pipeline.
  const takes = ({ signal }: CheckedPipeline) =>
    declaration.routes.some(([input]) => input === signal)
  const gives = ({ signal }: CheckedPipeline) =>
    declaration.routes.some(([, output]) => output === signal)
  const loose = from.filter(
    (one) => takes(one) && !to.some((other) => joins(declaration, one, other)),
  )
  for (const pipeline of loose) {
    const path = pathOf(pipeline, 'exporters', id)
    findings.error(path, `names ${id} as exporter, but ${missing(to, 'receiver', declaration)}`)
  }
  // What is wrong with both ends is said of one.
  if (loose.length > 0 || from.some((one) => !takes(one))) return
  for (const pipeline of to) {
    if (!gives(pipeline) || from.some((other) => joins(declaration, other, pipeline))) continue
    const path = pathOf(pipeline, 'receivers', id)
    findings.error(path, `names ${id} as receiver, but ${missing(from, 'exporter', declaration)}`)
  }
}

function joins(
  { routes }: ConnectorDeclaration,
  from: CheckedPipeline,
  to: CheckedPipeline,
): boolean {
  return routes.some(([input, output]) => input === from.signal && output === to.signal)
}

function missing(
  others: readonly CheckedPipeline[],
  role: string,
  { routes }: ConnectorDeclaration,
): string {
  if (others.length === 0) return `no pipeline names it as ${role}`
  const keepsSignal = routes.every(([input, output]) => input === output)
  const pairs = routes.map(([input, output]) => `${input} to ${output}`).join(', ')
  const names = others.map(({ id }) => id).join(', ')
  const rule = keepsSignal ? 'it joins only pipelines of one signal' : `it goes from ${pairs}`
  return `it cannot join this pipeline with ${names}: ${rule}`
}

function pathOf(pipeline: CheckedPipeline, list: 'receivers' | 'exporters', id: string) {
  return [...pipelinesPath, pipeline.id, list, pipeline[list].indexOf(id)]
}

interface Step {
  readonly connector: string
  readonly to: CheckedPipeline
}

/** A batch that comes back to where it has been would go round for ever. */
function checkCycles(
  pipelines: readonly CheckedPipeline[],
  defined: DefinedByKind,
  findings: Findings,
): void {
  const stepsFrom = (from: CheckedPipeline): Step[] =>
    from.exporters.flatMap((connector) => {
      const declaration = defined.connector.get(connector)?.declaration
      if (declaration?.kind !== 'connector') return []
      return pipelines
        .filter((to) => to.receivers.includes(connector) && joins(declaration, from, to))
        .map((to) => ({ connector, to }))
    })
  const finished = new Set<CheckedPipeline>()
  const walk = (
    at: CheckedPipeline,
    trail: readonly { at: CheckedPipeline; by: string }[],
  ): void => {
    if (finished.has(at)) return
    for (const { connector, to } of stepsFrom(at)) {
      const here = [...trail, { at, by: connector }]
      const start = here.findIndex((step) => step.at === to)
      if (start < 0) {
        walk(to, here)
        continue
      }
      const round = here.slice(start).map((step) => `${step.at.id} → ${step.by} → `)
      const message = `closes a cycle of pipelines: ${round.join('')}${to.id}`
      findings.error(pathOf(at, 'exporters', connector), message)
    }
    finished.add(at)
  }
  for (const pipeline of pipelines) walk(pipeline, [])
}
