/** The escaping schemes a scraper may ask for: what happens to names that old Prometheus cannot read. */

export const escapingSchemes = ['allow-utf-8', 'underscores', 'dots', 'values'] as const

export type EscapingScheme = (typeof escapingSchemes)[number]

export function isEscapingScheme(text: string): text is EscapingScheme {
  return (escapingSchemes as readonly string[]).includes(text)
}

export function isLegacyMetricName(name: string): boolean {
  return /^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(name)
}

export function isLegacyLabelName(name: string): boolean {
  return /^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name)
}

/** A metric or label name under a scheme. Metric names may hold colons; those of labels are escaped as any other. */
export function escapeName(scheme: EscapingScheme, name: string, of: 'metric' | 'label'): string {
  if (name === '' || scheme === 'allow-utf-8') return name
  if (scheme === 'dots') return escapeDots(name, of)
  if (of === 'metric' ? isLegacyMetricName(name) : isLegacyLabelName(name)) return name
  return scheme === 'underscores' ? escapeUnderscores(name, of) : escapeValues(name, of)
}

/**
 * escapeName() of labels for one page, which has few names and writes them again and again. None becomes `__name__`,
 * where Prometheus has the name of the metric: it would refuse the page. By dots `_name_` would be it.
 */
export function labelEscaper(scheme: EscapingScheme): (name: string) => string {
  const known = new Map<string, string>()
  return (name) => {
    const found = known.get(name)
    if (found !== undefined) return found
    const result = escapeName(scheme, name, 'label')
    const escaped = result === '__name__' ? '___name__' : result
    if (known.size < knownMax) known.set(name, escaped)
    return escaped
  }
}

const knownMax = 10_000

function escapeUnderscores(name: string, of: 'metric' | 'label'): string {
  return mapCodePoints(name, (char, index) => (isValid(char, index, of) ? char : '_'))
}

/** Also of names that are valid, since the underscore is the escape character. */
function escapeDots(name: string, of: 'metric' | 'label'): string {
  return mapCodePoints(name, (char, index) => {
    if (char === '_') return '__'
    if (char === '.') return '_dot_'
    return isValid(char, index, of) ? char : '__'
  })
}

function escapeValues(name: string, of: 'metric' | 'label'): string {
  const escaped = mapCodePoints(name, (char, index) => {
    if (char === '_') return '__'
    if (isValid(char, index, of)) return char
    return `_${char.isWellFormed() ? char.codePointAt(0)!.toString(16) : 'FFFD'}_`
  })
  return `U__${escaped}`
}

function mapCodePoints(name: string, map: (char: string, index: number) => string): string {
  let result = ''
  let index = 0
  for (const char of name) result += map(char, index++)
  return result
}

function isValid(char: string, index: number, of: 'metric' | 'label'): boolean {
  if (/^[a-zA-Z_]$/.test(char)) return true
  return (of === 'metric' && char === ':') || (index > 0 && /^[0-9]$/.test(char))
}
