import type { Socket } from 'node:net'

/** Without the prefix that IPv4 peers have on a socket of both families; empty for a unix socket. */
export function peerAddress(socket: Pick<Socket, 'remoteAddress'>): string {
  return (socket.remoteAddress ?? '').replace(/^::ffff:(?=\d+\.)/, '')
}
