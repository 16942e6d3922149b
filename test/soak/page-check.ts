/** Reads a page of the soak while it arrives: which series it has, and with what values. */
import assert from 'node:assert/strict'
import { request } from 'node:http'
import { digits, metricAt, podShape, seriesOfPod } from './soak-series.ts'

const lineFeed = 0x0a

export interface ExpectedPage {
  /** Steps done, by pod. */
  readonly living: ReadonlyMap<number, number>
  /** The same of those that have ended, but may not have expired yet. */
  readonly ending: ReadonlyMap<number, number>
}

/**
 * Fails unless the page has all series of the living pods, each once and with its last value, their target_info, and
 * nothing else than perhaps some that end.
 */
export async function checkPage(port: number, { living, ending }: ExpectedPage): Promise<void> {
  const steps = new Map([...living, ...ending])
  const seen = new Map<number, Uint8Array>()
  for (const pod of steps.keys()) seen.set(pod, new Uint8Array(seriesOfPod))
  const targets = new Set<number>()
  let count = 0
  await eachLine(port, (line) => {
    if (line[0] === hash) return
    const pod = podOf(line)
    if (isTargetInfo(line)) {
      targets.add(pod)
      return
    }
    const marks = seen.get(pod)
    assert(marks !== undefined, `a series that is gone: ${line.toString()}`)
    const index = metricAt(line, 0, line.length) * podShape.routes + routeOf(line)
    assert.equal(marks[index], 0, `twice on the page: ${line.toString()}`)
    marks[index] = 1
    if (living.has(pod)) count++
    const value = Number(line.toString('latin1', line.lastIndexOf(blank) + 1))
    if (value !== steps.get(pod)! + index) {
      assert.fail(`pod ${pod} is at ${steps.get(pod)}, index ${index}: ${line.toString()}`)
    }
  })
  assert.equal(count, living.size * seriesOfPod, 'series on the page')
  for (const pod of living.keys()) assert(targets.has(pod), `no target_info of pod ${pod}`)
  for (const pod of targets) assert(steps.has(pod), `target_info of pod ${pod}, which is gone`)
}

const blank = 0x20
const hash = 0x23
const podMark = Buffer.from('instance="pod-')
const routeMark = Buffer.from('http_route="/api/v1/orders/')

function podOf(line: Buffer): number {
  const at = line.indexOf(podMark) + podMark.length
  return digits(line, at, at + 7)
}

function routeOf(line: Buffer): number {
  const at = line.indexOf(routeMark) + routeMark.length
  return digits(line, at, at + 5)
}

function isTargetInfo(line: Buffer): boolean {
  return line.toString('latin1', 0, 12) === 'target_info{'
}

/** Calls back with every line, without its end. */
function eachLine(port: number, take: (line: Buffer) => void): Promise<void> {
  return new Promise((done, failed) => {
    const call = request({ host: '127.0.0.1', port, path: '/metrics', agent: false })
    call.on('error', failed)
    call.on('response', (response) => {
      let rest = Buffer.alloc(0)
      response.on('error', failed)
      response.on('data', (chunk: Buffer) => {
        try {
          rest = splitLines(Buffer.concat([rest, chunk]), take)
        } catch (error) {
          call.destroy()
          failed(error)
        }
      })
      response.on('end', () => {
        const { statusCode } = response
        if (statusCode === 200 && rest.length === 0) done()
        else failed(new Error(`a page of status ${statusCode} that ends in: ${rest.toString()}`))
      })
    })
    call.end()
  })
}

function splitLines(bytes: Buffer, take: (line: Buffer) => void): Buffer<ArrayBuffer> {
  let start = 0
  for (let at = bytes.indexOf(lineFeed); at !== -1; at = bytes.indexOf(lineFeed, start)) {
    take(bytes.subarray(start, at))
    start = at + 1
  }
  return Buffer.from(bytes.subarray(start))
}
