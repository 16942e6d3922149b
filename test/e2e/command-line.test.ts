import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { freePorts, GatewayProcess } from '../kit/gateway-process.ts'

const penstock = `"${process.execPath}" "${resolve(import.meta.dirname, '../../bin/penstock.ts')}"`

function shell(command: string) {
  return spawnSync('sh', ['-c', command], { encoding: 'utf8', maxBuffer: 16 * 1024 * 1024 })
}

test('what is printed reaches a slow reader whole', () => {
  const { stdout } = shell(`${penstock} schema | (sleep 2; cat)`)
  assert.ok(stdout.length > 2 * 65_536)
  JSON.parse(stdout)
})

test('a reader that has had enough is no crash', () => {
  const { stdout, stderr } = shell(`${penstock} schema | head -n 1`)
  assert.equal(stdout, '{\n')
  assert.equal(stderr, '')
})

test('log lines for people say day, time and level', async () => {
  const [port] = await freePorts(1)
  const gateway = await GatewayProcess.start(`
receivers: { otlp: { protocols: { http: { endpoint: "127.0.0.1:${port}" } } } }
exporters: { debug: }
service:
  pipelines: { traces: { receivers: [otlp], exporters: [debug] } }
  telemetry: { metrics: { level: none }, logs: { encoding: console } }
`)
  assert.equal(await gateway.stop(), 0)
  assert.match(gateway.log, /^\[\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\] INFO: /)
})

test('a signal to npm drains what it started and gives its exit code', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'penstock-npm-'))
  const file = join(folder, 'gateway.yaml')
  const [port] = await freePorts(1)
  writeFileSync(
    file,
    `
receivers: { otlp: { protocols: { http: { endpoint: "127.0.0.1:${port}" } } } }
exporters: { debug: }
service:
  pipelines: { traces: { receivers: [otlp], exporters: [debug] } }
  telemetry: { metrics: { level: none } }
`,
  )
  const npm = spawn('npm', ['run', '-s', 'penstock', '--', 'run', '--config', file], {
    cwd: resolve(import.meta.dirname, '../..'),
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let log = ''
  for await (const chunk of npm.stderr) {
    log += String(chunk)
    if (log.includes('Everything is ready')) npm.kill('SIGTERM')
  }
  if (npm.exitCode === null) await once(npm, 'exit')
  rmSync(folder, { recursive: true })
  assert.match(log, /Shutdown complete/)
  assert.equal(npm.exitCode, 0)
})
