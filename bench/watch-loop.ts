/** Loaded into a gateway with --import: at SIGUSR2 it prints how long its event loop stood still, and begins anew. */
import { monitorEventLoopDelay } from 'node:perf_hooks'

const resolutionMs = 20
const delay = monitorEventLoopDelay({ resolution: resolutionMs })
delay.enable()

process.on('SIGUSR2', () => {
  globalThis.gc?.()
  const { heapUsed, external, arrayBuffers } = process.memoryUsage()
  const found = {
    longestMs: Math.max(0, delay.max / 1e6 - resolutionMs),
    p99Ms: Math.max(0, delay.percentile(99) / 1e6 - resolutionMs),
    heapMb: heapUsed / 1e6,
    externalMb: Math.max(external, arrayBuffers) / 1e6,
  }
  process.stdout.write(`${JSON.stringify(found)}\n`)
  setImmediate(() => delay.reset())
})
