/**
 * Loaded into a process before its own modules (`--import`): says over IPC how late its event loop and how long its
 * garbage collections were since it was last asked, and what memory it has.
 */
import { monitorEventLoopDelay, PerformanceObserver } from 'node:perf_hooks'

export interface LoopReport {
  /** Longest that a timer was late, in milliseconds. */
  readonly delayMsMax: number
  readonly delayMsP99: number
  /** Longest stop for garbage collection, and all of them together. */
  readonly gcMsMax: number
  readonly gcMs: number
  readonly memory: NodeJS.MemoryUsage
}

const resolutionMs = 2
const delay = monitorEventLoopDelay({ resolution: resolutionMs })
delay.enable()
let gcMsMax = 0
let gcMs = 0
const collections = new PerformanceObserver((list) => {
  for (const { duration } of list.getEntries()) {
    gcMsMax = Math.max(gcMsMax, duration)
    gcMs += duration
  }
})
collections.observe({ entryTypes: ['gc'] })

process.on('message', (wish) => {
  if (wish === 'collect') globalThis.gc?.()
  const report: LoopReport = {
    delayMsMax: Math.max(0, delay.max / 1e6 - resolutionMs),
    delayMsP99: Math.max(0, delay.percentile(99) / 1e6 - resolutionMs),
    gcMsMax,
    gcMs,
    memory: process.memoryUsage(),
  }
  delay.reset()
  gcMsMax = 0
  gcMs = 0
  process.send?.(report)
})
process.channel?.unref()
