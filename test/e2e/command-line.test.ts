import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { resolve } from 'node:path'
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
