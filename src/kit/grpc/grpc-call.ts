import { type OutgoingHttpHeaders, type ServerHttp2Stream, constants } from 'node:http2'
import type { ClientInfo } from '../../otlp/client-info.ts'
import { Refusal } from '../../otlp/refusal.ts'
import type { MemoryLedger } from '../../pipeline/host.ts'
import type { Clock } from '../../platform/platform.ts'
import type { ContentEncoding } from '../compression/encodings.ts'
import { inflateBody } from '../compression/inflate.ts'
import { arrivalMsMax, type Deadlines, type Expiring } from '../deadlines/deadlines.ts'
import { MessageReader } from './message-reader.ts'
import { type GrpcStatus, statusHeaders, statusOf } from './status.ts'
import type { UnaryMethod, UnaryReply } from './unary-method.ts'

/** What all calls of a server share. */
export interface CallEnvironment {
  readonly clock: Clock
  readonly memory: MemoryLedger
  readonly deadlines: Deadlines
  /** Limit of a message on the wire, and again inflated. */
  readonly messageBytesMax: number
}

interface CallOptions {
  readonly stream: ServerHttp2Stream
  readonly method: UnaryMethod
  readonly client: ClientInfo
  readonly encoding: ContentEncoding | undefined
  readonly timeoutMs: number
  readonly environment: CallEnvironment
  /** Once, when its stream is gone. */
  readonly onClosed: (call: GrpcCall) => void
}

/** A call from its headers to its status. Its bytes are held in the ledger from the prefix until its method answers. */
export class GrpcCall implements Expiring {
  deadlineMs: number
  readonly #options: CallOptions
  readonly #startMs: number
  readonly #reader: MessageReader
  #heldBytes = 0
  #state: 'reading' | 'answering' | 'done' = 'reading'
  #isRequestEnded = false

  constructor(options: CallOptions) {
    this.#options = options
    const { stream, timeoutMs, environment } = options
    this.#startMs = environment.clock.monotonicMs()
    this.deadlineMs = this.#startMs + Math.min(timeoutMs, arrivalMsMax(0))
    this.#reader = new MessageReader({
      byteLengthMax: environment.messageBytesMax,
      onPrefix: (byteLength) => this.#admit(byteLength),
    })
    stream.on('data', (chunk: Uint8Array) => this.#onData(chunk))
    stream.on('end', () => this.#onEnd())
    stream.on('close', () => this.#onClose())
    environment.deadlines.watch(this)
  }

  /** The deadline has passed, whosever it was. */
  expire(): void {
    const timeoutMs = Math.round(this.deadlineMs - this.#startMs)
    const reason = this.#state === 'reading' ? 'the whole message had come' : 'it was answered'
    this.#refuse(new Refusal('deadline_exceeded', `${timeoutMs} ms passed before ${reason}`))
  }

  #onData(chunk: Uint8Array): void {
    if (this.#state !== 'reading') return
    try {
      this.#reader.push(chunk)
    } catch (error) {
      // What may be retried was refused at the door.
      if (!(error instanceof Refusal && error.retryable)) this.#options.method.failed?.()
      this.#refuse(error)
    }
  }

  #admit(byteLength: number): void {
    const { method, encoding, timeoutMs } = this.#options
    if (this.#reader.isCompressed && encoding === undefined) {
      throw new Refusal('internal', 'message is compressed, but no grpc-encoding says how')
    }
    const refusal = method.admit?.(byteLength)
    if (refusal !== undefined) throw refusal
    this.#hold(byteLength)
    const readMs = arrivalMsMax(byteLength)
    this.deadlineMs = this.#startMs + Math.min(timeoutMs, readMs)
  }

  #onEnd(): void {
    this.#isRequestEnded = true
    if (this.#state !== 'reading') return
    try {
      const message = this.#reader.finish()
      this.#state = 'answering'
      const inflated = this.#reader.isCompressed ? this.#inflate(message) : message
      const reply =
        inflated instanceof Promise
          ? inflated.then((whole) => this.#ask(whole))
          : this.#ask(inflated)
      if (reply instanceof Promise) this.#await(reply)
      else this.#succeed(reply)
    } catch (error) {
      this.#release()
      this.#refuse(error)
    }
  }

  #inflate(message: Uint8Array): Uint8Array | Promise<Uint8Array> {
    const { encoding, environment } = this.#options
    return message.length === 0
      ? message
      : inflateBody(encoding!, message, Math.max(environment.messageBytesMax, 1))
  }

  #ask(message: Uint8Array): UnaryReply | Promise<UnaryReply> {
    // Compressed bytes are garbage from here on, the inflated ones are what is kept.
    this.#hold(message.length - this.#heldBytes)
    return this.#options.method.answer(message, this.#options.client)
  }

  #await(reply: Promise<UnaryReply>): void {
    this.deadlineMs = this.#startMs + this.#options.timeoutMs
    reply.then(
      (answer) => this.#succeed(answer),
      (error) => {
        this.#release()
        this.#refuse(error)
      },
    )
  }

  #succeed(reply: UnaryReply): void {
    this.#release()
    if (this.#state !== 'answering') return
    if (reply !== undefined && 'code' in reply) return this.#end(reply)
    this.#finish()
    const { stream } = this.#options
    if (stream.destroyed || stream.closed) return
    stream.respond(successHeaders, keepOpenForTrailers)
    stream.on('wantTrailers', sendOk)
    stream.end(reply === undefined || reply.length === 0 ? emptyMessage : framed(reply))
  }

  #refuse(error: unknown): void {
    if (this.#state === 'done') return
    // While the method is at work the bytes are still in use, whatever the client is told.
    if (this.#state === 'reading') this.#release()
    this.#end(statusOf(error))
  }

  #end(status: GrpcStatus): void {
    this.#finish()
    refuseStream(this.#options.stream, statusHeaders(status), this.#isRequestEnded)
  }

  #finish(): void {
    this.#state = 'done'
    this.#options.environment.deadlines.forget(this)
  }

  #onClose(): void {
    if (this.#state === 'reading') this.#release()
    this.#finish()
    this.#options.onClosed(this)
  }

  #hold(byteLength: number): void {
    this.#heldBytes += byteLength
    if (byteLength >= 0) this.#options.environment.memory.hold(byteLength)
    else this.#options.environment.memory.release(-byteLength)
  }

  #release(): void {
    this.#options.environment.memory.release(this.#heldBytes)
    this.#heldBytes = 0
  }
}

/** Answers with headers alone, and lets the client know that the rest of its request is of no use. */
export function refuseStream(
  stream: ServerHttp2Stream,
  headers: OutgoingHttpHeaders,
  isRequestEnded: boolean,
): void {
  if (stream.destroyed || stream.closed) return
  stream.respond(headers, headersOnly)
  // HTTP/2 8.1: a complete answer, then RST_STREAM with NO_ERROR, stops an upload without failing the call.
  if (!isRequestEnded) stream.close(constants.NGHTTP2_NO_ERROR)
}

const successHeaders = [':status', '200', 'content-type', 'application/grpc']
// What respond() is given beyond its declared type: a date that no gRPC client reads is left out.
const headersOnly = { endStream: true, sendDate: false }
const keepOpenForTrailers = { waitForTrailers: true, sendDate: false }
const okTrailers = { 'grpc-status': '0' }
const emptyMessage = new Uint8Array(5)

function sendOk(this: ServerHttp2Stream): void {
  if (!this.closed && !this.destroyed) this.sendTrailers(okTrailers)
}

function framed(message: Uint8Array): Uint8Array {
  const frame = new Uint8Array(5 + message.length)
  new DataView(frame.buffer).setUint32(1, message.length)
  frame.set(message, 5)
  return frame
}
