const unitMs: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1000,
  m: 1,
  u: 1e-3,
  n: 1e-6,
}

/** Milliseconds of a `grpc-timeout` header, or undefined when it is malformed: at most eight digits and a unit. */
export function parseGrpcTimeout(value: string): number | undefined {
  if (!/^\d{1,8}[HMSmun]$/.test(value)) return undefined
  return Number(value.slice(0, -1)) * unitMs[value[value.length - 1]]
}
