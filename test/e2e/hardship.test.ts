/** What a host does to its processes: closed outputs, pipes without a reader, no file descriptors left. */
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { eventually, freePorts } from '../kit/gateway-process.ts'

const bin = resolve(import.meta.dirname, '../../bin/penstock.ts')
const request = '{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"a"}]}]}]}'

const yaml = (options: { http: number; metrics: number; path: string }) => `yaml:
receivers: { otlp: { protocols: { http: { endpoint: "127.0.0.1:${options.http}" } } } }
exporters: { file: { path: "${options.path}" } }
service:
  pipelines: { traces: { receivers: [otlp], exporters: [file] } }
  telemetry: { metrics: { address: "127.0.0.1:${options.metrics}" } }
`

/** Under a shell that runs `before`, such as a limit, and then becomes the gateway. */
function run(configuration: string, before = '') {
  const command = `${before} exec "$0" "$1" run --config "$2"`
  const child = spawn('sh', ['-c', command, process.execPath, bin, configuration])
  let log = ''
  child.stderr.on('data', (chunk: Buffer) => void (log += chunk.toString()))
  const exited = new Promise<number | null>((done) => child.once('exit', (code) => done(code)))
  const logged = (text: string) =>
    eventually(() => (log.includes(text) ? true : undefined), text, 20_000)
  return { child, exited, logged, log: () => log }
}

async function send(port: number): Promise<number> {
  const headers = { 'content-type': 'application/json', connection: 'close' }
  const url = `http://127.0.0.1:${port}/v1/traces`
  return (await fetch(url, { method: 'POST', headers, body: request })).status
}

test('whoever reads standard output may go away: what is written there is refused, and the process lives on', async () => {
  const [http, metrics] = await freePorts(2)
  const { child, exited, logged } = run(yaml({ http, metrics, path: '/dev/stdout' }))
  await logged('Everything is ready')
  child.stdout.destroy()
  assert.deepEqual([await send(http), await send(http)], [503, 503])
  child.kill('SIGTERM')
  assert.equal(await exited, 0)
})

test('out of file descriptors, connections are turned away until there are some again', async () => {
  const [http, metrics] = await freePorts(2)
  const { child, exited, logged, log } = run(
    yaml({ http, metrics, path: '/dev/null' }),
    'ulimit -n 64;',
  )
  await logged('Everything is ready')
  const sockets: Socket[] = []
  for (let index = 0; index < 150; index++) {
    sockets.push(connect(index % 2 ? http : metrics, '127.0.0.1').on('error', () => {}))
  }
  // Longer than the resident set goes unread.
  await new Promise((done) => setTimeout(done, 500))
  for (const socket of sockets) socket.destroy()
  const status = await eventually(() => send(http).catch(() => undefined), 'an answer')
  assert.equal(status, 200, log())
  child.kill('SIGTERM')
  assert.equal(await exited, 0)
})

test('a pipe that nobody reads is an error at start, not a start that never ends', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'penstock-pipe-'))
  const path = join(folder, 'pipe')
  execFileSync('mkfifo', [path])
  const [http, metrics] = await freePorts(2)
  const { child, exited, log } = run(yaml({ http, metrics, path }))
  const overdue = setTimeout(() => child.kill('SIGKILL'), 15_000)
  assert.equal(await exited, 1)
  clearTimeout(overdue)
  assert.match(log(), /failed to start "file" exporter: ENXIO/)
  rmSync(folder, { recursive: true })
})
