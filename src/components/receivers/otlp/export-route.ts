import type { IncomingMessage, ServerResponse } from 'node:http'
import { type ContentEncoding, isContentEncoding } from '../../../kit/compression/encodings.ts'
import { inflateBody } from '../../../kit/compression/inflate.ts'
import { arrivalMsMax, type Deadlines } from '../../../kit/deadlines/deadlines.ts'
import { bodyTooLarge, readBody, unknownLengthBytes } from '../../../kit/http/read-body.ts'
import { type Answer, answerUnread, bodyLength, send } from '../../../kit/http/unread-body.ts'
import type { Intake } from '../../../kit/ingest/intake.ts'
import type { ClientInfo } from '../../../otlp/client-info.ts'
import { Refusal } from '../../../otlp/refusal.ts'
import type { MessageForm } from '../../../otlp/responses.ts'
import type { ReceiverHost } from '../../../pipeline/host.ts'
import { formOf, refusalAnswer, successAnswer, unsupportedTypeAnswer } from './http-answers.ts'
import type { HttpSideSettings } from './http-settings.ts'

// Telemetry inflates to seven times its size or so; what is still small on the wire is judged by this at the door.
const inflationExpected = 8

// Refused at the door without a word on when to come back.
const doorRetryMs = 1000

/** Takes the export requests of one signal. Synchronous from the last byte of a body to its answer if the pipeline is. */
export class ExportRoute {
  readonly #intake: Intake
  readonly #host: ReceiverHost
  readonly #deadlines: Deadlines
  readonly #byteLengthMax: number
  /** Undefined leaves every body as it came, whatever its sender says it is. */
  readonly #encodings: ReadonlySet<string> | undefined
  readonly #success: Readonly<Record<MessageForm, Answer>>

  constructor(
    intake: Intake,
    settings: HttpSideSettings,
    surroundings: { host: ReceiverHost; deadlines: Deadlines },
  ) {
    this.#intake = intake
    this.#host = surroundings.host
    this.#deadlines = surroundings.deadlines
    this.#byteLengthMax = settings.max_request_body_size
    this.#encodings = acceptedEncodings(settings.compression_algorithms)
    this.#success = {
      proto: successAnswer(intake.signal, 'proto'),
      json: successAnswer(intake.signal, 'json'),
    }
  }

  readonly handle = (
    request: IncomingMessage,
    response: ServerResponse,
    client: ClientInfo,
  ): void => {
    const form = formOf(request)
    if (form === undefined) {
      return answerUnread(request, response, unsupportedTypeAnswer, this.#host.clock)
    }
    const encoding = this.#encodingOf(request)
    const refusal = encoding instanceof Refusal ? encoding : this.#atTheDoor(request, encoding)
    if (refusal !== undefined) return this.#refuseUnread(request, response, refusal)
    this.#read(request, response, { form, client, encoding: encoding as Encoding })
  }

  #encodingOf(request: IncomingMessage): Encoding | Refusal {
    if (this.#encodings === undefined) return ''
    const named = request.headers['content-encoding']?.trim().toLowerCase() ?? ''
    const encoding = named === 'identity' ? '' : named
    if (this.#encodings.has(encoding)) return encoding as Encoding
    const accepted = [...this.#encodings].map((name) => name || 'identity').join(', ')
    const message = `Content-Encoding ${named || 'identity'} is not accepted, only ${accepted}`
    return new Refusal('invalid', message)
  }

  /** Overload is answered before a byte of the body is read. */
  #atTheDoor(request: IncomingMessage, encoding: string | Refusal): Refusal | undefined {
    const declared = bodyLength(request)
    if (declared !== Infinity && declared > this.#byteLengthMax) {
      return bodyTooLarge(this.#byteLengthMax)
    }
    const length = declared === Infinity ? unknownLengthBytes : declared
    // No more than it may inflate to, so that who lies about it moves the counts of refused items only so far.
    const expected = encoding === '' ? length : length * inflationExpected
    return this.#admit(Math.min(expected, this.#byteLengthMax))
  }

  #admit(byteLength: number): Refusal | undefined {
    const refusal = this.#intake.admit(byteLength)
    if (refusal === undefined || !refusal.retryable || refusal.retryAfterMs !== undefined) {
      return refusal
    }
    const { code, message } = refusal
    return new Refusal(code, message, { retryAfterMs: doorRetryMs, cause: refusal })
  }

  #read(request: IncomingMessage, response: ServerResponse, body: BodyKind): void {
    const declared = bodyLength(request)
    const held = new Held(this.#intake)
    held.add(declared === Infinity ? unknownLengthBytes : declared)
    const budget = {
      byteLengthMax: this.#byteLengthMax,
      grow: (byteLength: number) => {
        const refusal = this.#admit(byteLength)
        if (refusal === undefined) held.add(byteLength)
        return refusal
      },
    }
    const arrival = {
      deadlineMs:
        this.#host.clock.monotonicMs() + arrivalMsMax(Math.min(declared, this.#byteLengthMax)),
      expire: () =>
        giveUp(
          new Refusal('unavailable', 'the body came too slowly', { retryAfterMs: doorRetryMs }),
        ),
    }
    this.#deadlines.watch(arrival)
    const giveUp = readBody(request, response, budget, (result) => {
      this.#deadlines.forget(arrival)
      if (result instanceof Refusal) {
        held.release()
        // Gone: there is nobody to answer.
        if (result.code === 'cancelled') return
        this.#refuseUnread(request, response, result, body.form)
        return
      }
      const answer = (refusal?: Refusal) => {
        held.release()
        send(response, refusal ? refusalAnswer(refusal, body.form) : this.#success[body.form])
      }
      this.#take(result, body, { held, answer })
    })
  }

  #take(bytes: Uint8Array, body: BodyKind, then: Continuation): void {
    try {
      const taken =
        body.encoding === ''
          ? this.#intake.take(bytes, body.form, body.client)
          : this.#inflateAndTake(bytes, body, then.held)
      if (taken === undefined) then.answer()
      else
        taken.then(
          () => then.answer(),
          (error: unknown) => then.answer(this.#intake.refusalOf(error)),
        )
    } catch (error) {
      then.answer(this.#intake.refusalOf(error))
    }
  }

  #inflateAndTake(bytes: Uint8Array, body: BodyKind, held: Held): void | Promise<void> {
    const take = (inflated: Uint8Array) => {
      held.add(inflated.length)
      return this.#intake.take(inflated, body.form, body.client)
    }
    const fail = (error: unknown): never => {
      this.#intake.countFailure()
      throw error
    }
    let inflated: Uint8Array | Promise<Uint8Array>
    try {
      inflated = inflateBody(body.encoding as ContentEncoding, bytes, this.#byteLengthMax)
    } catch (error) {
      return fail(error)
    }
    return inflated instanceof Promise ? inflated.then(take, fail) : take(inflated)
  }

  #refuseUnread(
    request: IncomingMessage,
    response: ServerResponse,
    refusal: Refusal,
    form = formOf(request)!,
  ): void {
    // What may be retried was refused at the door, and is counted there.
    if (!refusal.retryable) this.#intake.countFailure()
    answerUnread(request, response, refusalAnswer(refusal, form), this.#host.clock)
  }
}

/** A Content-Encoding that is accepted here; empty for none. */
type Encoding = ContentEncoding | ''

interface BodyKind {
  readonly form: MessageForm
  readonly encoding: Encoding
  readonly client: ClientInfo
}

interface Continuation {
  readonly held: Held
  readonly answer: (refusal?: Refusal) => void
}

/** What one request has of the memory ledger; given back once, all of it. */
class Held {
  readonly #intake: Intake
  #byteLength = 0

  constructor(intake: Intake) {
    this.#intake = intake
  }

  add(byteLength: number): void {
    this.#intake.hold(byteLength)
    this.#byteLength += byteLength
  }

  release(): void {
    this.#intake.release(this.#byteLength)
    this.#byteLength = 0
  }
}

/** In the Collector `deflate` brings `zlib` with it, being the same. */
function acceptedEncodings(names: readonly string[]): ReadonlySet<string> | undefined {
  if (names.length === 0) return undefined
  const accepted = names.filter((name) => name === '' || isContentEncoding(name))
  return new Set(accepted.includes('deflate') ? [...accepted, 'zlib'] : accepted)
}
