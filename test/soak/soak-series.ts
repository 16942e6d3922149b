/** The series of the soak, and how their labels say which one it is. */

/** What each pod sends every second: counters, then gauges. */
export const podShape = { counters: 10, gauges: 10, histograms: 0, routes: 50 }

export const seriesOfPod = (podShape.counters + podShape.gauges) * podShape.routes

/**
 * Pod times `seriesOfPod` plus the position of the series in its pod's request; -1 for labels that are none of ours.
 * They are read from an encoded TimeSeries of remote write: field 1 is a label, whose field 1 is its name and 2 its value.
 */
export function seriesIndex(bytes: Uint8Array, start: number, end: number): number {
  let pod = -1
  let route = -1
  let metric = -1
  for (let at = start; at < end && bytes[at] === 0x0a;) {
    const next = at + 2 + bytes[at + 1]
    const nameLength = bytes[at + 3]
    const nameAt = at + 4
    const valueAt = nameAt + nameLength + 2
    // Longer than a label of ours, whose lengths are all one byte.
    if (bytes[at + 1] > 127) return -1
    const initial = bytes[nameAt]
    if (nameLength === 8 && initial === underscore) metric = metricAt(bytes, valueAt, next)
    else if (nameLength === 8 && initial === letterI) pod = digits(bytes, next - 7, next)
    else if (nameLength === 10 && initial === letterH) route = digits(bytes, next - 5, next)
    at = next
  }
  if (pod < 0 || route < 0 || metric < 0) return -1
  return pod * seriesOfPod + metric * podShape.routes + route
}

const underscore = '_'.charCodeAt(0)
const letterH = 'h'.charCodeAt(0)
const letterI = 'i'.charCodeAt(0)
const counterName = 'http_server_requests_'
const gaugeName = 'http_server_active_'

/** http_server_requests_3_total and http_server_active_3: counters come before gauges. */
export function metricAt(bytes: Uint8Array, start: number, end: number): number {
  const isCounter = bytes[start + 12] === counterName.charCodeAt(12)
  const from = start + (isCounter ? counterName.length : gaugeName.length)
  let to = from
  while (to < end && isDigit(bytes[to])) to++
  const number = to === from ? -1 : digits(bytes, from, to)
  return number < 0 || isCounter ? number : number + podShape.counters
}

/** -1 where there is anything else. */
export function digits(bytes: Uint8Array, start: number, end: number): number {
  let value = 0
  for (let at = start; at < end; at++) {
    if (!isDigit(bytes[at])) return -1
    value = value * 10 + bytes[at] - 0x30
  }
  return value
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39
}
