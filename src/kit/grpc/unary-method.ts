import type { ClientInfo } from '../../otlp/client-info.ts'
import type { Refusal } from '../../otlp/refusal.ts'
import type { GrpcStatus } from './status.ts'

/** The message to answer with; undefined is an empty one. A status ends the call without success. */
export type UnaryReply = Uint8Array | GrpcStatus | undefined | void

/** One method of a service, as bytes. */
export interface UnaryMethod {
  /** Asked when the length of a message is known and before it is read: the refusal to answer with, if any. */
  admit?(byteLength: number): Refusal | undefined
  /** Told of a message that broke a rule before it was whole: too large, or framed badly. */
  failed?(): void
  /** Answers a whole, inflated message; throws, or rejects with, a Refusal. The message is the method's to keep. */
  answer(message: Uint8Array, client: ClientInfo): UnaryReply | Promise<UnaryReply>
}
