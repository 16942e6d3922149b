/** Answering before a body has been read, so that the client sees the answer and a healthy connection stays in use. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Clock } from '../../platform/platform.ts'

// Up to here reading on costs less than a new connection would.
const drainedBytesMax = 1024 * 1024
// A client that has not noticed the answer by then will not.
const lingerMs = 2000

/** A whole answer: status, flat list of header names and values, body. */
export interface Answer {
  readonly status: number
  readonly headers: readonly string[]
  readonly body: Uint8Array | string
}

/**
 * Sends the answer to a request whose body was not read, or not to its end. A small rest is read and thrown away, and
 * the connection lives on. A large one costs the connection: the answer says so, and what the client goes on sending is
 * thrown away for a moment, since closing a socket with unread bytes resets it and takes the answer with it.
 */
export function answerUnread(
  request: IncomingMessage,
  response: ServerResponse,
  answer: Answer,
  clock: Clock,
): void {
  const rest = bodyLength(request)
  if (rest === 0) return send(response, answer)
  // A client that waits for 100 Continue may send the body or not: which, only a new connection can tell.
  const isWaiting = request.headers.expect !== undefined
  if (rest <= drainedBytesMax && !isWaiting) {
    send(response, answer)
    request.resume()
    return
  }
  response.shouldKeepAlive = false
  if (isWaiting) return send(response, answer)
  response.writeHead(answer.status, [...answer.headers])
  if (answer.body.length > 0) response.write(answer.body)
  const end = () => {
    timer.cancel()
    response.end()
  }
  const timer = clock.after(lingerMs, end)
  request.once('end', end).once('close', end).resume()
}

/** Sends an answer to a request that has been read. */
export function send(response: ServerResponse, { status, headers, body }: Answer): void {
  response.writeHead(status, headers as string[])
  // Text, and nothing at all, leave in one piece with the headers; bytes would be a second.
  if (body.length === 0) response.end()
  else response.end(body)
}

/** As the client declares it; infinite when it does not. */
export function bodyLength(request: IncomingMessage): number {
  const { headers } = request
  if (headers['content-length'] !== undefined) return Number(headers['content-length'])
  return headers['transfer-encoding'] === undefined ? 0 : Infinity
}
