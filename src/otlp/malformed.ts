import { WireError } from '../wire/wire-error.ts'
import { Refusal } from './refusal.ts'

/** What reading threw, as the outside sees it: bad bytes are a Refusal, all else stays what it is. */
export function asRefusal(error: unknown): unknown {
  if (!(error instanceof WireError)) return error
  return new Refusal('invalid', `malformed protobuf: ${error.message}`, { cause: error })
}
