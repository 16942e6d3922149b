/** Pods that push: a request each, every second, over a few connections. */
import { Agent, request } from 'node:http'
import { PodRequest } from '../kit/pod-request.ts'
import { podShape } from './soak-series.ts'

const connections = 4

export class Fleet {
  /** Requests acknowledged by each living pod. */
  readonly steps = new Map<number, number>()
  /** The same of those that have gone, and when. */
  readonly ended = new Map<number, { readonly step: number; readonly atMs: number }>()
  pointsSent = 0
  readonly #port: number
  readonly #agent = new Agent({ keepAlive: true, maxSockets: connections })
  readonly #request = new PodRequest(podShape)
  #nextPod = 0

  constructor(port: number, podCount: number) {
    this.#port = port
    for (let pod = 0; pod < podCount; pod++) this.#start()
  }

  /** Every pod's next request. Rejects when one is not taken. */
  async push(timeMs: number): Promise<void> {
    const waiting = [...this.steps.keys()]
    const lane = async () => {
      for (let pod = waiting.pop(); pod !== undefined; pod = waiting.pop()) {
        const step = this.steps.get(pod)! + 1
        await this.#send(this.#request.make(pod, BigInt(timeMs) * 1_000_000n, step))
        this.steps.set(pod, step)
        this.pointsSent += this.#request.pointCount
      }
    }
    await Promise.all(Array.from({ length: connections }, lane))
  }

  /** Half of the pods, those that live longest, end; as many others begin. */
  replaceHalf(): void {
    const ending = [...this.steps.keys()].slice(0, this.steps.size / 2)
    for (const pod of ending) {
      this.ended.set(pod, { step: this.steps.get(pod)!, atMs: Date.now() })
      this.steps.delete(pod)
    }
    for (const _ of ending) this.#start()
  }

  endedSince(timeMs: number): Map<number, number> {
    const recent = [...this.ended].filter(([, { atMs }]) => atMs >= timeMs)
    return new Map(recent.map(([pod, { step }]) => [pod, step]))
  }

  close(): void {
    this.#agent.destroy()
  }

  #start(): void {
    this.steps.set(this.#nextPod++, 0)
  }

  #send(body: Buffer): Promise<void> {
    return new Promise((done, failed) => {
      const headers = { 'content-type': 'application/x-protobuf', 'content-length': body.length }
      const to = { host: '127.0.0.1', port: this.#port, path: '/v1/metrics', method: 'POST' }
      const call = request({ ...to, headers, agent: this.#agent })
      call.on('error', failed)
      call.on('response', (response) => {
        const { statusCode } = response
        response.on('error', failed)
        response.on('end', () => {
          if (statusCode === 200) done()
          else failed(new Error(`a push was answered ${statusCode}`))
        })
        response.resume()
      })
      call.end(body)
    })
  }
}
