/** How what is remembered of series is looked through for what has expired: often, and a bounded part each time. */

/** Often enough that a round is done within the expiration, not so often that idle costs anything. */
export function sweepPeriodMs(expirationMs: number): number {
  return Math.min(1000, Math.max(50, expirationMs / 60))
}

/** Entries of a sweep: of many, a whole round takes sixty. */
export function sweepEntryCount(keyCount: number): number {
  return Math.max(2000, Math.ceil(keyCount / 60))
}
