import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { after, before, describe, it, test } from 'node:test'
import { z } from 'zod'
import { testHost } from '../../../test/kit/test-host.ts'
import { httpClientShape } from './client-settings.ts'
import { HttpClient } from './http-client.ts'

const portOf = (server: Server) => (server.address() as AddressInfo).port

test('credentials of the URL are sent for basic authentication, unless a header has others', async (context) => {
  const seen: (string | undefined)[] = []
  const server = createServer((request, response) => {
    seen.push(request.headers.authorization)
    request.resume().on('end', () => response.end())
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const client = new HttpClient(z.object(httpClientShape()).parse({}), testHost())
  context.after(async () => {
    await client.close()
    server.close()
  })
  const post = (credentials: string, headers = {}) => {
    const url = new URL(`http://${credentials}127.0.0.1:${portOf(server)}`)
    return client.post({ url, headers, body: new Uint8Array(1), abort: AbortSignal.timeout(2000) })
  }
  await post('')
  // RFC 7617, section 2.
  await post('Aladdin:open%20sesame@')
  await post('Aladdin:open%20sesame@', { Authorization: 'Bearer x' })
  assert.deepEqual(seen, [undefined, 'Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==', 'Bearer x'])
})

describe('an HTTP client behind a proxy', () => {
  const asked: string[] = []
  const sockets = new Set<Socket>()
  const target = createServer(
    (request, response) => void request.resume().on('end', () => response.end('ok')),
  )
  // Whatever name it is asked for, it leads to the target.
  const proxy = createServer((request, response) => {
    asked.push(request.url ?? '')
    response.end('ok')
  }).on('connect', (request, socket: Socket) => {
    asked.push(request.url ?? '')
    const onward = connect(portOf(target), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
      socket.pipe(onward).pipe(socket)
    })
    for (const each of [socket, onward]) sockets.add(each.on('error', () => {}))
  })

  before(async () => {
    for (const server of [target, proxy]) await once(server.listen(0, '127.0.0.1'), 'listening')
  })
  after(() => {
    for (const socket of sockets) socket.destroy()
    for (const server of [target, proxy]) server.close()
  })

  async function post(url: string, settings: object, env: Record<string, string> = {}) {
    asked.length = 0
    const client = new HttpClient(z.object(httpClientShape()).parse(settings), testHost({ env }))
    const abort = AbortSignal.timeout(2000)
    const answer = await client.post({
      url: new URL(url),
      headers: {},
      body: new Uint8Array(1),
      abort,
    })
    await client.close()
    return {
      status: answer.status,
      asked: asked.map((each) => each.replace(/^http:\/\//, '').replace(/\/$/, '')),
    }
  }

  const proxyUrl = () => `http://127.0.0.1:${portOf(proxy)}`

  it('goes through the one of its settings, to whatever host', async () => {
    const url = `http://127.0.0.1:${portOf(target)}`
    assert.deepEqual(await post(url, { proxy_url: proxyUrl() }), {
      status: 200,
      asked: [url.slice(7)],
    })
    assert.deepEqual(await post(url, {}), { status: 200, asked: [] })
  })

  it('goes through the one of the environment, but not to this machine', async () => {
    const env = { HTTP_PROXY: proxyUrl() }
    assert.deepEqual(await post('http://far.invalid:4318', {}, env), {
      status: 200,
      asked: ['far.invalid:4318'],
    })
    const url = `http://127.0.0.1:${portOf(target)}`
    assert.deepEqual(await post(url, {}, env), { status: 200, asked: [] })
  })
})
