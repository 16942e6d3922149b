/**
 * Why a batch was not taken. The closed set of codes maps to HTTP and gRPC statuses in one table, so that every
 * protocol tells its client the same thing: try again, or do not.
 */

interface RefusalRule {
  readonly retryable: boolean
  /** OTLP/HTTP status: of the 4xx and 5xx only 429, 502, 503 and 504 may be retried. */
  readonly httpStatus: number
  readonly grpcCode: number
}

/** From the OTLP specification, "Failures", and the Collector's mapping of internal errors. */
export const refusalRules = {
  invalid: { retryable: false, httpStatus: 400, grpcCode: 3 },
  unauthenticated: { retryable: false, httpStatus: 401, grpcCode: 16 },
  permission_denied: { retryable: false, httpStatus: 403, grpcCode: 7 },
  unimplemented: { retryable: false, httpStatus: 404, grpcCode: 12 },
  too_large: { retryable: false, httpStatus: 413, grpcCode: 8 },
  internal: { retryable: false, httpStatus: 500, grpcCode: 13 },
  exhausted: { retryable: true, httpStatus: 429, grpcCode: 8 },
  cancelled: { retryable: true, httpStatus: 503, grpcCode: 1 },
  deadline_exceeded: { retryable: true, httpStatus: 503, grpcCode: 4 },
  aborted: { retryable: true, httpStatus: 503, grpcCode: 10 },
  unavailable: { retryable: true, httpStatus: 503, grpcCode: 14 },
} as const satisfies Record<string, RefusalRule>

export type RefusalCode = keyof typeof refusalRules

interface RefusalDetail {
  /** How long the sender should wait at least. */
  readonly retryAfterMs?: number
  readonly cause?: unknown
}

/** An expected failure: bad input, refused, timed out, full. Impossible states are assertions instead. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly code: RefusalCode
  readonly retryAfterMs: number | undefined

  constructor(code: RefusalCode, message: string, detail: RefusalDetail = {}) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause })
    this.code = code
    this.retryAfterMs = detail.retryAfterMs
  }

  get retryable(): boolean {
    return refusalRules[this.code].retryable
  }

  get httpStatus(): number {
    return refusalRules[this.code].httpStatus
  }

  get grpcCode(): number {
    return refusalRules[this.code].grpcCode
  }

  /** What anything thrown means to a client: a Refusal as it is, all else an internal error that may not be retried. */
  static from(error: unknown): Refusal {
    if (error instanceof Refusal) return error
    const message = error instanceof Error ? error.message : String(error)
    return new Refusal('internal', message, { cause: error })
  }
}
