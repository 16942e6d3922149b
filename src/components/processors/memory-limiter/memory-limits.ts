/** From the configured limits to the bytes of telemetry that may be held. */
import type { MemoryLedger } from '../../../pipeline/host.ts'

export interface LimitSettings {
  readonly limit_mib: number
  readonly spike_limit_mib: number
  readonly limit_percentage: number
  readonly spike_limit_percentage: number
}

export interface MemoryLimits {
  /** Telemetry bytes that may be held at a time. */
  readonly budgetBytes: number
  /** Bytes that may be kept, of series and the like. */
  readonly keptBytesMax: number
  /** Resident set size from which only `trickleBytes` may be held. */
  readonly backstopBytes: number
  /** Resident set size at which the backstop lets go again. */
  readonly recoveryBytes: number
  readonly trickleBytes: number
}

const mebibyte = 1024 ** 2

type Surroundings = Pick<MemoryLedger, 'baseBytes' | 'availableBytes' | 'keptBytes'>

export function memoryLimits(settings: LimitSettings, memory: Surroundings): MemoryLimits {
  const { limitBytes, softBytes } = configuredLimits(settings, memory)
  // A held byte costs about two: while it is sent a request exists a second time, encoded or compressed, and what was
  // freed lingers until the next collection. With a limit near what Node needs for itself, an eighth keeps data flowing.
  const freeBytes = Math.max(softBytes - memory.baseBytes, softBytes / 4)
  const budgetBytes = Math.floor(Math.max((freeBytes - memory.keptBytes) / 2, softBytes / 8))
  // A limit below what Node needs for itself would otherwise be beyond reach from the start.
  const backstopBytes = Math.max(limitBytes, memory.baseBytes + limitBytes / 2)
  return {
    budgetBytes,
    // The rest is for what is on its way, and for what the allocator has of kept memory beside it.
    keptBytesMax: Math.floor(freeBytes * (3 / 4)),
    backstopBytes,
    recoveryBytes: backstopBytes - (limitBytes - softBytes) / 2,
    trickleBytes: Math.floor(budgetBytes / 8),
  }
}

function configuredLimits(settings: LimitSettings, memory: Surroundings) {
  const isFixed = settings.limit_mib > 0
  const unitBytes = isFixed ? mebibyte : memory.availableBytes / 100
  const limitBytes = unitBytes * (isFixed ? settings.limit_mib : settings.limit_percentage)
  const spike = isFixed ? settings.spike_limit_mib : settings.spike_limit_percentage
  const spikeBytes = spike === 0 ? limitBytes / 5 : unitBytes * spike
  return { limitBytes, softBytes: limitBytes - spikeBytes }
}
