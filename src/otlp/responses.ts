/**
 * What servers answer: Export*ServiceResponse and google.rpc.Status, in both forms. Reading is a client's: an answer
 * that cannot be made sense of tells it nothing, and is no reason to fail.
 */

import { FieldCursor, readVarint32, readVarint64, wireBytes, wireVarint } from './field-cursor.ts'
import { MessageWriter } from './message-writer.ts'
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
    if (partial === undefined) return textEncoder.encode('{}')
    const { rejectedKey } = signals[signal]
    const partialSuccess = {
      // A 64-bit number, so text.
      ...(partial.rejectedItemCount > 0 && { [rejectedKey]: String(partial.rejectedItemCount) }),
      ...(partial.message !== '' && { errorMessage: partial.message }),
    }
    return textEncoder.encode(JSON.stringify({ partialSuccess }))
  }
  if (partial === undefined) return new Uint8Array(0)
  const writer = new MessageWriter()
  const start = writer.open(1)
  if (partial.rejectedItemCount > 0) writer.varint64Field(1, BigInt(partial.rejectedItemCount))
  if (partial.message !== '') writer.textField(2, partial.message)
  writer.close(start)
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
    return textEncoder.encode(JSON.stringify({ code, message, ...details }))
  }
  const writer = new MessageWriter()
  if (code !== 0) writer.varint64Field(1, BigInt(code))
  if (message !== '') writer.textField(2, message)
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

const textEncoder = new TextEncoder()
const textDecoder = new TextDecoder()

function writeRetryInfo(writer: MessageWriter, delayMs: number): void {
  const { seconds, nanos } = duration(delayMs)
  const any = writer.open(3)
  writer.textField(1, retryInfoType)
  const retryInfo = writer.open(2)
  const delay = writer.open(1)
  if (seconds !== 0) writer.varint64Field(1, BigInt(seconds))
  if (nanos !== 0) writer.varint32Field(2, nanos)
  writer.close(delay)
  writer.close(retryInfo)
  writer.close(any)
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
  let rejectedItemCount = 0
  let message = ''
  const response = new FieldCursor(bytes)
  while (response.next()) {
    if (response.number !== 1 || response.wireType !== wireBytes) continue
    // Pieces of one message merge, and its scalars are taken from the last: going on has the same effect.
    const partial = new FieldCursor(response.slice())
    while (partial.next()) {
      if (partial.number === 1 && partial.wireType === wireVarint)
        rejectedItemCount = itemCount(BigInt.asIntN(64, readVarint64(partial.bytes, partial.start)))
      else if (partial.number === 2 && partial.wireType === wireBytes) message = shortText(partial)
    }
  }
  return { rejectedItemCount, message }
}

function readStatus(bytes: Uint8Array): RpcStatus {
  let code = 0
  let message = ''
  let retryDelayMs: number | undefined
  const status = new FieldCursor(bytes)
  while (status.next()) {
    if (status.number === 1 && status.wireType === wireVarint)
      code = readVarint32(status.bytes, status.start) | 0
    else if (status.number === 2 && status.wireType === wireBytes) message = shortText(status)
    else if (status.number === 3 && status.wireType === wireBytes)
      retryDelayMs ??= readRetryDelay(status.slice())
  }
  return { code, message, ...(retryDelayMs !== undefined && { retryDelayMs }) }
}

/** Undefined when the detail is something else than RetryInfo. */
function readRetryDelay(any: Uint8Array): number | undefined {
  const typeUrl = textDecoder.decode(messageField(any, 1))
  if (!isRetryInfo(typeUrl)) return undefined
  let seconds = 0n
  let nanos = 0
  const delay = new FieldCursor(messageField(messageField(any, 2), 1))
  while (delay.next()) {
    if (delay.wireType !== wireVarint) continue
    if (delay.number === 1) seconds = BigInt.asIntN(64, readVarint64(delay.bytes, delay.start))
    else if (delay.number === 2) nanos = readVarint32(delay.bytes, delay.start) | 0
  }
  return delayMs(Number(seconds), nanos)
}

/** Who names the type may put any host before it. */
function isRetryInfo(typeUrl: unknown): boolean {
  return typeof typeUrl === 'string' && typeUrl.endsWith('/google.rpc.RetryInfo')
}

function delayMs(seconds: number, nanos: number): number {
  return Math.min(Math.max(Math.ceil(seconds * 1000 + nanos / 1e6), 0), delayMsMax)
}

/** The last occurrence; empty when there is none. */
function messageField(bytes: Uint8Array, field: number): Uint8Array {
  let found: Uint8Array = new Uint8Array(0)
  const cursor = new FieldCursor(bytes)
  while (cursor.next())
    if (cursor.number === field && cursor.wireType === wireBytes) found = cursor.slice()
  return found
}

function shortText(cursor: FieldCursor): string {
  return textDecoder.decode(cursor.slice()).slice(0, messageLengthMax)
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
    return asObject(JSON.parse(textDecoder.decode(bytes)))
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
    message: typeof message === 'string' ? message.slice(0, messageLengthMax) : '',
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
    message: typeof message === 'string' ? message.slice(0, messageLengthMax) : '',
    ...(info !== undefined && { retryDelayMs: delayFromText(info.retryDelay ?? info.retry_delay) }),
  }
}

function delayFromText(text: unknown): number {
  const match = typeof text === 'string' ? /^(\d{1,12}(?:\.\d{1,9})?)s$/.exec(text) : null
  return delayMs(Number(match?.[1] ?? 0), 0)
}
