import type { HttpAnswer } from '../../../kit/http/http-client.ts'
import { refusedAnswer } from '../../../kit/http/refused-answer.ts'
import { shownUrl } from '../../../kit/http/shown-url.ts'
import { Refusal } from '../../../otlp/refusal.ts'
import type { WriteCounts } from './write-request.ts'
import { type RemoteWriteSettings, writePath, writePathHint } from './settings.ts'
import type { RejectionCause } from './write-metrics.ts'

/** What became of a request that was not refused as a whole. */
export interface Written {
  /** At most of what was sent, whatever the server claims. */
  readonly counts: WriteCounts
  /** Whether the server refused any of it, by its status. */
  readonly isRefused: boolean
  /** In what words the server refused the rest, a line each; none when it took all or said nothing. */
  readonly complaints: readonly string[]
}

interface Asked {
  readonly url: URL
  readonly nowMs: number
  readonly isV2: boolean
  readonly compression: RemoteWriteSettings['compression']
  readonly counts: WriteCounts
}

/** The server does not know 2.0, and nothing of the request was stored: it has to be sent as 1.0. */
export class NotV2 extends Error {}

/** The server may not know zstd, and nothing of the request was stored: it has to be sent by snappy. */
export class NotZstd extends Error {}

/** What a server says of a request that it refused, in full. */
export class Complaints extends Error {
  readonly lines: readonly string[]

  constructor(lines: readonly string[]) {
    super('the server says why')
    this.lines = lines
  }
}

/** The lines of the answer that a Refusal is about; none where there was no answer. */
export function complaintsOf({ cause }: Refusal): readonly string[] {
  return cause instanceof Complaints ? cause.lines : []
}

/** Gives what was written, or throws the Refusal that the answer means, or NotV2 or NotZstd. */
export function readAnswer(answer: HttpAnswer, asked: Asked): Written {
  const { status } = answer
  const written = asked.isV2 ? writtenCounts(answer, asked.counts) : undefined
  if (status === 415) {
    const text = explain(answer, asked)
    // Which of the two it minds is not told. Snappy is what every server takes, so that is tried first.
    if (asked.compression === 'zstd') throw new NotZstd(text)
    if (asked.isV2) throw new NotV2(text)
  }
  if (status >= 200 && status < 300) {
    if (!asked.isV2) return { counts: asked.counts, isRefused: false, complaints: [] }
    // A 1.x server takes a 2.0 message for an empty one of its own and says nothing of what it wrote.
    if (written === undefined)
      throw new NotV2(`${shownUrl(asked.url)} answered ${status} ${unread}`)
    return { counts: written, isRefused: false, complaints: [] }
  }
  // A 2.0 server that stored a part of a request tells so, and what it refused may not come again.
  const isPart = status === 400 && written !== undefined && written.samples + written.histograms > 0
  if (isPart) return { counts: written, isRefused: true, complaints: linesOf(answer) }
  const { nowMs } = asked
  // Remote write: 5xx must be repeated, 429 may be, other 4xx must not.
  const message = explain(answer, asked)
  const cause = new Complaints(linesOf(answer))
  // With 500 from Prometheus 2: to repeat it would hold up everything behind it, and never help. Said of a request
  // without any it is a failure of the server, as with any 500.
  const hasNative = asked.counts.histograms > 0
  if (hasNative && cause.lines.some(refusesNativeHistograms)) {
    throw new Refusal('invalid', message, { cause })
  }
  throw refusedAnswer(answer, { message, cause, nowMs, isForNow: () => true })
}

/** Undefined when the server sent none of the headers; a single missing one counts as 0. */
function writtenCounts(answer: HttpAnswer, sent: WriteCounts): WriteCounts | undefined {
  const read = (what: string) => answer.header(`x-prometheus-remote-write-${what}-written`)
  const [samples, histograms, exemplars] = ['samples', 'histograms', 'exemplars'].map(read)
  if (samples === undefined && histograms === undefined && exemplars === undefined) return undefined
  return {
    samples: countOf(samples, sent.samples),
    histograms: countOf(histograms, sent.histograms),
    exemplars: countOf(exemplars, sent.exemplars),
  }
}

function countOf(header: string | undefined, countMax: number): number {
  return header !== undefined && /^\d+$/.test(header) ? Math.min(Number(header), countMax) : 0
}

function linesOf({ body }: HttpAnswer): string[] {
  const lines = new TextDecoder().decode(body).split('\n')
  return lines.map((line) => line.trim()).filter((line) => line !== '')
}

/** Of a Prometheus without `--enable-feature=native-histograms`, which names no series. */
export function refusesNativeHistograms(complaint: string): boolean {
  return nativeHistogramsDisabled.test(complaint)
}

const nativeHistogramsDisabled = /native histograms are disabled/i

const unread =
  'without X-Prometheus-Remote-Write-*-Written headers: it knows 1.0 only and has not read the request'

const textLengthMax = 300

function explain(answer: HttpAnswer, asked: Asked): string {
  const { status } = answer
  const isElsewhere = (status === 404 || status === 405) && !asked.url.pathname.endsWith(writePath)
  const hint = isElsewhere ? ` (${writePathHint})` : ''
  const text = new TextDecoder().decode(answer.body).replaceAll(/\s+/g, ' ').trim()
  const words = text === '' ? '' : `: ${text.slice(0, textLengthMax)}`
  return `${shownUrl(asked.url)} answered ${status}${words}${hint}`
}

// Of Prometheus, Mimir, Cortex and Thanos. Only for the counter: what is done does not depend on it.
const patterns: readonly [RegExp, RejectionCause][] = [
  [/out of order|out-of-order/i, 'out_of_order'],
  [/duplicate sample|duplicate-timestamp|new-value-for-timestamp/i, 'duplicate_timestamp'],
  [/out of bounds|too old|too-old|too far|future/i, 'out_of_bounds'],
  [/label|metric name|metric-name/i, 'invalid_labels'],
  [nativeHistogramsDisabled, 'native_histograms_disabled'],
]

export function rejectionCause(message: string): RejectionCause {
  return patterns.find(([pattern]) => pattern.test(message))?.[1] ?? 'other'
}
