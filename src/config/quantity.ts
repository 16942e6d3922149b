/** Durations and byte sizes as users write them. Each parser gives a number, or the rule that was broken as text. */

const durationUnitsMs: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
}

const durationRule = 'must be a duration such as 5s, 200ms or 1h30m'

/** Milliseconds of a Go duration. */
export function parseDuration(value: string | number): number | string {
  const text = String(value).trim()
  if (text === '0') return 0
  if (typeof value === 'number' || /^[+-]?[\d.]+$/.test(text)) {
    return `${durationRule}, got ${text} without a unit`
  }
  const sign = text.startsWith('-') ? -1 : 1
  const body = text.replace(/^[+-]/, '')
  const pair = /(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/y
  let milliseconds = 0
  let end = 0
  for (let found = pair.exec(body); found !== null; found = pair.exec(body)) {
    milliseconds += Number(found[1]) * durationUnitsMs[found[2]]
    end = pair.lastIndex
  }
  if (end === 0 || end !== body.length) return `${durationRule}, got ${JSON.stringify(value)}`
  return sign * milliseconds
}

/** A duration of milliseconds as a user would write it: 30s, 1m30s, 1h, 50ms. */
export function durationText(milliseconds: number): string {
  if (milliseconds > 0 && milliseconds < 1000) return `${milliseconds}ms`
  const hours = Math.floor(milliseconds / 3_600_000)
  const minutes = Math.floor(milliseconds / 60_000) % 60
  const seconds = (milliseconds % 60_000) / 1000
  const parts = [hours && `${hours}h`, minutes && `${minutes}m`, seconds && `${seconds}s`]
  return parts.filter((part) => part !== 0).join('') || '0s'
}

const byteUnits: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 1024,
  mib: 1024 ** 2,
  gib: 1024 ** 3,
  tib: 1024 ** 4,
}

/** Bytes of a plain number or of a text with a unit. */
export function parseByteSize(value: string | number): number | string {
  const found = /^(\d+(?:\.\d+)?)\s*([kmgt]?i?b)?$/i.exec(String(value).trim())
  const unit = byteUnits[(found?.[2] ?? '').toLowerCase()]
  if (found === null || unit === undefined) {
    return `must be a byte size such as 4MiB or 65536, got ${JSON.stringify(value)}`
  }
  return Math.round(Number(found[1]) * unit)
}
