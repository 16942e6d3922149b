import type { Disk, Env } from '../platform/platform.ts'
import { type Complaint, complain } from './complaint.ts'
import { expandLocated, whyUnreadable } from './expand.ts'
import type { Located, LocatedMap, SourceText } from './located.ts'
import { mergeLocated, nest, unflatten } from './merge.ts'
import { readYaml, wholeOf } from './read-yaml.ts'

export interface ConfigSources {
  /** In order: paths, `file:`, `env:NAME` or `yaml:text`. */
  readonly configs: readonly string[]
  /** `a.b.c=value` or `a::b::c=value`, laid over all of them. */
  readonly sets?: readonly string[]
}

/** A configuration read, merged and expanded, and what was wrong on the way. Nothing is said yet about its settings. */
export interface LoadedConfig {
  readonly root: LocatedMap
  readonly complaints: readonly Complaint[]
  /** False when a source could not be read or parsed: what refers to its parts cannot be judged. */
  readonly isComplete: boolean
}

/** Never throws: whatever is wrong with the sources is a complaint. */
export function loadConfig(sources: ConfigSources, env: Env, disk: Disk): LoadedConfig {
  const complaints: Complaint[] = []
  let root: Located | undefined
  const files = sources.configs.map((uri) => readSource(uri, env, disk))
  const layers = [...files, ...(sources.sets ?? []).map(readSet)]
  if (sources.configs.length === 0) {
    complaints.push(complain({ message: 'no configuration is given; pass --config FILE' }))
  }
  for (const layer of layers) {
    for (const complaint of layer.complaints) complaints.push(complaint)
    if (layer.value === undefined) continue
    root = root === undefined ? layer.value : mergeLocated(root, layer.value)
  }
  const isComplete = files.every((layer) => layer.value !== undefined) && files.length > 0
  if (root === undefined) return { root: emptyRoot(sources), complaints, isComplete: false }
  // A source that was not understood may hold what the rest refers to, but each reference can still be judged alone.
  const expanded = expandLocated(root, env, disk)
  const value = expanded.value.kind === 'map' ? expanded.value : emptyRoot(sources)
  return { root: value, complaints: [...complaints, ...expanded.complaints], isComplete }
}

interface Layer {
  readonly value?: Located | undefined
  readonly complaints: readonly Complaint[]
}

function readSource(uri: string, env: Env, disk: Disk): Layer {
  const scheme = /^([a-zA-Z][a-zA-Z0-9+.-]+):/.exec(uri)?.[1]
  const rest = scheme === undefined ? uri : uri.slice(scheme.length + 1)
  if (scheme === 'yaml') return readLayer(rest, 'yaml:')
  if (scheme === 'env') {
    const text = Object.hasOwn(env, rest) ? env[rest] : undefined
    if (text !== undefined) return readLayer(text, `env:${rest}`)
    return failed(`env:${rest}`, `environment variable ${rest} is not set`)
  }
  if (scheme === undefined || scheme === 'file') return readFile(rest, disk)
  const isWeb = scheme === 'http' || scheme === 'https'
  const why = isWeb
    ? `${scheme}: sources are not supported yet; fetch it to a file first`
    : `${scheme}: is not a source that can be read; known are file:, env: and yaml:`
  return failed(isWeb ? `${scheme}:` : uri, why)
}

function readFile(path: string, disk: Disk): Layer {
  try {
    const bytes = disk.readFile(path)
    return readLayer(new TextDecoder('utf-8', { fatal: true }).decode(bytes), path)
  } catch (error) {
    const why = error instanceof TypeError ? 'it is not UTF-8 text' : whyUnreadable(error)
    return failed(path, `cannot be read: ${why}`)
  }
}

/** Some 50,000 settings; reading them takes two seconds, in which nothing else is done. */
const sourceLengthMax = 8_000_000

function readLayer(text: string, name: string): Layer {
  if (text.length > sourceLengthMax) {
    const rule = `may have ${sourceLengthMax} characters`
    return failed(name, `${rule}, got ${text.length}`)
  }
  const source = { name, lines: text.split(/\r?\n/) }
  const { value, complaints } = readYaml(text, source)
  if (value === undefined && complaints.length > 0) return { complaints }
  if (value === undefined || (value.kind === 'scalar' && value.value === null)) {
    return { value: { kind: 'map', place: wholeOf(source), entries: new Map() }, complaints }
  }
  if (value.kind === 'map') {
    return { value: { ...unflatten(value), place: wholeOf(source) }, complaints }
  }
  const found = value.kind === 'list' ? 'a list' : 'text'
  const message = `must be a section with receivers, exporters and service, got ${found}`
  return { complaints: [complain({ place: value.place, message })] }
}

function readSet(assignment: string): Layer {
  const equals = assignment.indexOf('=')
  const steps = assignment.slice(0, equals).split(/\.|::/)
  if (equals < 1 || steps.includes('')) {
    const shown = equals < 0 ? assignment : assignment.slice(0, equals)
    return failed(`--set ${shown}`, 'must be key=value, such as processors.batch.timeout=1s')
  }
  const source = { name: `--set ${assignment.slice(0, equals)}`, lines: [] }
  const place = wholeOf(source)
  const text = assignment.slice(equals + 1)
  const read = readYaml(text, source, place)
  const value = read.value ?? { kind: 'scalar', place, value: text === '' ? null : text }
  if (read.complaints.length > 0) return { complaints: read.complaints }
  return { value: nest(steps, { place, value }), complaints: [] }
}

function failed(name: string, message: string): Layer {
  return { complaints: [complain({ place: wholeOf({ name, lines: [] }), message })] }
}

function emptyRoot(sources: ConfigSources): LocatedMap {
  const source: SourceText = { name: sources.configs[0] ?? '', lines: [] }
  return { kind: 'map', place: wholeOf(source), entries: new Map() }
}
