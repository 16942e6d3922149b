/**
 * What servers answer: Export*ServiceResponse and google.rpc.Status, in both forms. Reading is a client's: an answer
 * that cannot be made sense of tells it nothing, and is no reason to fail.
 */

import { decodeUtf8, encodeUtf8 } from '../wire/utf8.ts'
import { WireWriter } from '../wire/wire-writer.ts'
import { bigintOf, bytesOf, messageOf, messagesOf, numberOf, textOf } from './field-values.ts'
import { many, message as messageTable, one } from './message-table.ts'
import { type Signal, signals } from './signal.ts'

/** Protobuf as on the wire, or protobuf's JSON mapping. */
export type MessageForm = 'proto' | 'json'

/** Some items were rejected for good; with none rejected, the message is a warning about a request that was taken. */
export interface PartialSuccess {
  readonly rejectedItemCount: number
  readonly message: string
}

export interface RpcStatus {
  /** A gRPC status code. */
  readonly code: number
  readonly message: string
  /**
   * Delay of an attached RetryInfo, 0 when it names none; undefined without RetryInfo, which for RESOURCE_EXHAUSTED
   * means that the request may not be retried at all.
   */
  readonly retryDelayMs?: number
}

/** A whole response body. Full success leaves partial_success unset, so it is no bytes at all, or `{}`. */
export function encodeExportResponse(
  signal: Signal,
  form: MessageForm,
  partial?: PartialSuccess,
): Uint8Array {
  if (form === 'json') {
    if (partial === undefined) return encodeUtf8('{}')
    const { rejectedKey } = signals[signal]
    const partialSuccess = {
      // A 64-bit number, so text.
      ...(partial.rejectedItemCount > 0 && { [rejectedKey]: String(partial.rejectedItemCount) }),
      ...(partial.message !== '' && { errorMessage: partial.message }),
    }
    return encodeUtf8(JSON.stringify({ partialSuccess }))
  }
  if (partial === undefined) return new Uint8Array(0)
  const writer = new WireWriter()
  writer.message(responseFields.partialSuccess.number, () => {
    const { rejected, errorMessage } = partialFields
    if (partial.rejectedItemCount > 0) writer.uint(rejected.number, partial.rejectedItemCount)
    if (partial.message !== '') writer.string(errorMessage.number, partial.message)
  })
  return writer.finish()
}

/**
 * Undefined when all was taken without a word: unset, set but empty (the Collector's way), or unreadable. The message
 * is cut at 1024 characters, since it goes into logs.
 */
export function decodePartialSuccess(
  signal: Signal,
  bytes: Uint8Array,
  form: MessageForm,
): PartialSuccess | undefined {
  const partial =
    form === 'json'
      ? partialFromJson(signal, parseObject(bytes))
      : readTolerantly(bytes, readPartial)
  if (partial === undefined) return undefined
  return partial.rejectedItemCount === 0 && partial.message === '' ? undefined : partial
}

/** A google.rpc.Status: the body of an HTTP error, or the grpc-status-details-bin trailer before its base64. */
export function encodeStatus(form: MessageForm, status: RpcStatus): Uint8Array {
  const { code, message, retryDelayMs } = status
  if (form === 'json') {
    const details = retryDelayMs !== undefined && {
      details: [{ '@type': retryInfoType, retryDelay: durationText(retryDelayMs) }],
    }
    return encodeUtf8(JSON.stringify({ code, message, ...details }))
  }
  const writer = new WireWriter()
  if (code !== 0) writer.int32(statusFields.code.number, code)
  if (message !== '') writer.string(statusFields.message.number, message)
  if (retryDelayMs !== undefined) writeRetryInfo(writer, retryDelayMs)
  return writer.finish()
}

/** Undefined when it is unreadable, or longer than any honest answer. The message is cut at 1024 characters. */
export function decodeStatus(
  bytes: Uint8Array,
  form: MessageForm = 'proto',
): RpcStatus | undefined {
  return form === 'json' ? statusFromJson(parseObject(bytes)) : readTolerantly(bytes, readStatus)
}

const retryInfoType = 'type.googleapis.com/google.rpc.RetryInfo'

const messageLengthMax = 1024

/** Over this, an answer is not looked at: it comes from a peer, and costs us memory. */
const answerBytesMax = 64 * 1024

/** Keeps sums of delays and clocks exact; a year is forever here. */
const delayMsMax = 365 * 24 * 3600 * 1000

const noBytes = new Uint8Array(0)

// Of google.protobuf.Duration and Any, google.rpc.RetryInfo and Status, and Export*ServiceResponse, alike in all signals.
const { fields: durationFields } = messageTable({
  seconds: one(1, 'int64'),
  nanos: one(2, 'int32'),
})
const { fields: anyFields } = messageTable({ typeUrl: one(1, 'string'), value: one(2, 'bytes') })
const { fields: retryInfoFields } = messageTable({ retryDelay: one(1, 'bytes') })
const { fields: statusFields } = messageTable({
  code: one(1, 'int32'),
  message: one(2, 'string'),
  details: many(3, 'bytes'),
})
const { fields: partialFields } = messageTable({
  rejected: one(1, 'int64'),
  errorMessage: one(2, 'string'),
})
const { fields: responseFields } = messageTable({ partialSuccess: one(1, 'bytes') })

function writeRetryInfo(writer: WireWriter, delayMs: number): void {
  const { seconds, nanos } = duration(delayMs)
  writer.message(statusFields.details.number, () => {
    writer.string(anyFields.typeUrl.number, retryInfoType)
    writer.message(anyFields.value.number, () =>
      writer.message(retryInfoFields.retryDelay.number, () => {
        if (seconds !== 0) writer.uint(durationFields.seconds.number, seconds)
        if (nanos !== 0) writer.uint(durationFields.nanos.number, nanos)
      }),
    )
  })
}

/** Whole milliseconds, rounded up: a client that comes early is refused again. */
function duration(delayMs: number): { readonly seconds: number; readonly nanos: number } {
  const whole = Math.min(Math.max(Math.ceil(delayMs), 0), delayMsMax)
  return { seconds: Math.floor(whole / 1000), nanos: (whole % 1000) * 1_000_000 }
}

/** As protobuf's JSON mapping writes a Duration: 3s, 1.500s. */
function durationText(delayMs: number): string {
  const { seconds, nanos } = duration(delayMs)
  return nanos === 0 ? `${seconds}s` : `${seconds}.${String(nanos / 1_000_000).padStart(3, '0')}s`
}

function readTolerantly<T>(bytes: Uint8Array, read: (bytes: Uint8Array) => T): T | undefined {
  if (bytes.length > answerBytesMax) return undefined
  try {
    return read(bytes)
  } catch {
    // Malformed protobuf, which the callers document to be nothing.
    return undefined
  }
}

function readPartial(bytes: Uint8Array): PartialSuccess {
  const partial = messageOf(bytes, responseFields.partialSuccess) ?? noBytes
  const rejectedItemCount = itemCount(bigintOf(partial, partialFields.rejected))
  return { rejectedItemCount, message: shorten(textOf(partial, partialFields.errorMessage)) }
}

function readStatus(bytes: Uint8Array): RpcStatus {
  const code = numberOf(bytes, statusFields.code)
  const message = shorten(textOf(bytes, statusFields.message))
  const details = messagesOf(bytes, statusFields.details)
  const retryInfo = details.find((any) => isRetryInfo(textOf(any, anyFields.typeUrl)))
  if (retryInfo === undefined) return { code, message }
  return { code, message, retryDelayMs: readRetryDelay(bytesOf(retryInfo, anyFields.value)) }
}

function readRetryDelay(retryInfo: Uint8Array): number {
  const delay = messageOf(retryInfo, retryInfoFields.retryDelay) ?? noBytes
  const seconds = Number(bigintOf(delay, durationFields.seconds))
  return delayMs(seconds, numberOf(delay, durationFields.nanos))
}

/** Who names the type may put any host before it. */
function isRetryInfo(typeUrl: unknown): boolean {
  return typeof typeUrl === 'string' && typeUrl.endsWith('/google.rpc.RetryInfo')
}

function delayMs(seconds: number, nanos: number): number {
  return Math.min(Math.max(Math.ceil(seconds * 1000 + nanos / 1e6), 0), delayMsMax)
}

function shorten(message: unknown): string {
  return typeof message === 'string' ? message.slice(0, messageLengthMax) : ''
}

/** A count for our metrics, where exactness beyond 2^53 is worth nothing and a negative one is a lie. */
function itemCount(rejected: bigint): number {
  return rejected < 0n ? 0 : Number(rejected > maxSafe ? maxSafe : rejected)
}

const maxSafe = BigInt(Number.MAX_SAFE_INTEGER)

type JsonObject = Readonly<Record<string, unknown>>

function parseObject(bytes: Uint8Array): JsonObject | undefined {
  if (bytes.length > answerBytesMax) return undefined
  try {
    return asObject(JSON.parse(decodeUtf8(bytes)))
  } catch {
    // Not JSON: a proxy's page, say.
    return undefined
  }
}

function asObject(value: unknown): JsonObject | undefined {
  return typeof value === 'object' && value !== null ? (value as JsonObject) : undefined
}

function partialFromJson(
  signal: Signal,
  response: JsonObject | undefined,
): PartialSuccess | undefined {
  const partial = asObject(response?.partialSuccess ?? response?.partial_success)
  if (partial === undefined) return undefined
  const { rejectedKey } = signals[signal]
  const snakeKey = rejectedKey.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
  const rejected = partial[rejectedKey] ?? partial[snakeKey]
  const message = partial.errorMessage ?? partial.error_message
  return {
    rejectedItemCount: countFromJson(rejected),
    message: shorten(message),
  }
}

function countFromJson(value: unknown): number {
  if (typeof value === 'number') return Number.isInteger(value) ? itemCount(BigInt(value)) : 0
  return typeof value === 'string' && /^\d{1,19}$/.test(value) ? itemCount(BigInt(value)) : 0
}

function statusFromJson(status: JsonObject | undefined): RpcStatus | undefined {
  if (status === undefined) return undefined
  const { code, message, details } = status
  const list: readonly unknown[] = Array.isArray(details) ? details : []
  const info = list.map(asObject).find((detail) => isRetryInfo(detail?.['@type']))
  return {
    code: Number.isInteger(code) ? (code as number) : 0,
    message: shorten(message),
    ...(info !== undefined && { retryDelayMs: delayFromText(info.retryDelay ?? info.retry_delay) }),
  }
}

function delayFromText(text: unknown): number {
  const match = typeof text === 'string' ? /^(\d{1,12}(?:\.\d{1,9})?)s$/.exec(text) : null
  return delayMs(Number(match?.[1] ?? 0), 0)
}
