import { locate, type Path } from '../config/located.ts'
import { didYouMean } from '../config/nearest.ts'
import { parseSection } from '../config/parse-section.ts'
import { type Signal, signalNames } from '../otlp/signal.ts'
import type { Catalog } from '../pipeline/component.ts'
import type { CheckedPipeline } from './checked-config.ts'
import type { Defined, DefinedByKind } from './defined.ts'
import type { Findings } from './findings.ts'
import { componentKinds, hintForUndefined, sectionOf } from './resolve-type.ts'
import { pipelineSchema } from './service-schema.ts'

export const pipelinesPath = ['service', 'pipelines']

export interface CheckedPipelines {
  readonly pipelines: readonly CheckedPipeline[]
  /** False when one of them could not be read, so that what it uses is not known. */
  readonly isComplete: boolean
}

/** Reads the pipelines and holds each to the components that are defined. */
export function checkPipelines(reach: Reach): CheckedPipelines {
  const { findings } = reach
  const node = locate(findings.root, pipelinesPath)
  const ids = node?.kind === 'map' ? [...node.entries.keys()] : []
  const isEmpty = node === undefined || node.kind === 'map' || node.kind === 'scalar'
  if (ids.length === 0 && isEmpty) {
    findings.keyError(pipelinesPath, 'must have at least one pipeline, such as traces')
  }
  const pipelines = ids.flatMap((id) => checkPipeline(id, reach))
  return { pipelines, isComplete: ids.length > 0 && pipelines.length === ids.length }
}

function checkPipeline(id: string, reach: Reach): CheckedPipeline[] {
  const { defined, findings } = reach
  const path = [...pipelinesPath, id]
  const signal = signalOf(id)
  if (typeof signal !== 'string') {
    findings.keyError(path, signal.message)
    return []
  }
  // What its shape breaks is complained of with the whole service section.
  const parsed = parseSection(findings.root, path, pipelineSchema)
  if (!parsed.isValid) return []
  const lists = parsed.value as Pick<CheckedPipeline, 'receivers' | 'processors' | 'exporters'>
  const pipeline = { id, signal, ...lists }
  for (const end of ['receivers', 'exporters'] as const) {
    const noun = end.slice(0, -1)
    if (pipeline[end].length === 0) findings.keyError(path, `must have at least one ${noun}`)
  }
  for (const list of ['receivers', 'processors', 'exporters'] as const) {
    checkList(pipeline, list, reach)
  }
  checkLimiterFirst(pipeline, defined, findings)
  return [pipeline]
}

function signalOf(id: string): Signal | { message: string } {
  const [type, ...name] = id.split('/')
  const signal = signalNames.find((each) => each === type)
  if (signal !== undefined) {
    const isNamed = !id.includes('/') || /^\S+$/.test(name.join('/'))
    return isNamed ? signal : { message: `must be ${type} or ${type}/name` }
  }
  if (type === 'profiles')
    return { message: 'carries profiles, which Penstock does not support yet' }
  const hint = didYouMean(type, signalNames)
  return { message: `must begin with traces, metrics or logs${hint}` }
}

interface Reach {
  readonly catalog: Catalog
  readonly defined: DefinedByKind
  readonly findings: Findings
}

type ListName = 'receivers' | 'processors' | 'exporters'

function checkList(pipeline: CheckedPipeline, list: ListName, reach: Reach): void {
  const { defined, findings } = reach
  const seen = new Set<string>()
  pipeline[list].forEach((id, index) => {
    const path = [...pipelinesPath, pipeline.id, list, index]
    if (seen.has(id)) findings.error(path, `names ${id} a second time`)
    seen.add(id)
    const component = lookUp(id, list, defined)
    if (component === undefined) {
      if (findings.misspelt.has(list)) return
      findings.error(path, `names ${id}, ${whyUndefined(id, list, reach)}`)
      return
    }
    checkSignal(component, { path, list, signal: pipeline.signal }, findings)
  })
}

/** What an entry of a pipeline's list means: connectors stand among receivers and exporters. */
export function lookUp(id: string, list: ListName, defined: DefinedByKind): Defined | undefined {
  if (list === 'processors') return defined.processor.get(id)
  const own = list === 'receivers' ? defined.receiver : defined.exporter
  return own.get(id) ?? defined.connector.get(id)
}

function whyUndefined(id: string, list: ListName, { catalog, defined }: Reach): string {
  for (const kind of componentKinds) {
    if (!defined[kind].has(id)) continue
    const article = kind === 'exporter' || kind === 'extension' ? 'an' : 'a'
    return `which is ${article} ${kind}, defined under ${sectionOf[kind]}`
  }
  const own = componentKinds.find((kind) => sectionOf[kind] === list)!
  const connectors = list === 'processors' ? [] : [...defined.connector.keys()]
  const near = didYouMean(id, [...defined[own].keys(), ...connectors])
  const hint = near || hintForUndefined(catalog, own, id)
  return `which is not defined under ${list}${connectors.length > 0 ? ' or connectors' : ''}${hint}`
}

function checkSignal(
  { id, declaration }: Defined,
  { path, list, signal }: { path: Path; list: ListName; signal: Signal },
  findings: Findings,
): void {
  if (declaration === undefined || declaration.kind === 'extension') return
  if (declaration.kind === 'connector') {
    const end = list === 'receivers' ? 1 : 0
    const ends = new Set(declaration.routes.map((route) => route[end]))
    if (ends.has(signal)) return
    const verb = list === 'receivers' ? 'gives' : 'takes'
    findings.error(path, `names ${id}, which ${verb} no ${signal}, only ${listText(ends)}`)
    return
  }
  if (declaration.signals.includes(signal)) return
  const verb = list === 'receivers' ? 'receives' : list === 'exporters' ? 'exports' : 'processes'
  findings.error(
    path,
    `names ${id}, which ${verb} no ${signal}, only ${listText(declaration.signals)}`,
  )
}

function listText(words: Iterable<string>): string {
  return [...words].join(' and ')
}

function checkLimiterFirst(
  pipeline: CheckedPipeline,
  defined: DefinedByKind,
  findings: Findings,
): void {
  pipeline.processors.forEach((id, index) => {
    if (index === 0 || defined.processor.get(id)?.declaration?.type !== 'memory_limiter') return
    const path = [...pipelinesPath, pipeline.id, 'processors', index]
    const why = 'so that nothing before it holds what it would refuse'
    findings.warning(path, `names ${id}, which should be the first processor, ${why}`)
  })
}
