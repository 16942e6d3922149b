import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { ClientInfo } from '../../otlp/client-info.ts'
import { peerAddress } from './peer-address.ts'

const none: ReadonlyMap<string, never> = new Map<string, never>()

/** A client's connection: who it is, and what it is waiting for. */
export class Connection {
  readonly socket: Socket
  /** Of the latest request; an earlier one is answered before it. */
  response: ServerResponse | undefined
  #client: ClientInfo | undefined

  constructor(socket: Socket) {
    this.socket = socket
  }

  /** The peer without the request's headers: the same object for every request of the connection. */
  get client(): ClientInfo {
    this.#client ??= { address: peerAddress(this.socket), metadata: none, auth: none }
    return this.#client
  }

  /** The peer with the headers of this request, names in lower case. */
  clientWithHeaders(request: IncomingMessage): ClientInfo {
    const metadata = new Map<string, string[]>()
    const { rawHeaders } = request
    for (let index = 0; index < rawHeaders.length; index += 2) {
      const name = rawHeaders[index].toLowerCase()
      const values = metadata.get(name)
      if (values === undefined) metadata.set(name, [rawHeaders[index + 1]])
      else values.push(rawHeaders[index + 1])
    }
    return { address: this.client.address, metadata, auth: none }
  }

  /**
   * Ends the connection as soon as no answer is owed on it. One whose request's headers have not fully arrived is cut:
   * nothing of it was accepted.
   */
  endWhenAnswered(): void {
    const { response } = this
    if (response === undefined || response.writableFinished) this.socket.destroySoon()
    else if (response.headersSent) response.once('finish', () => this.socket.destroySoon())
    else response.shouldKeepAlive = false
  }
}
