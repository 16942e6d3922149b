export interface Case {
  readonly name: string
  readonly payload: string
  readonly signal: 'traces' | 'metrics'
  readonly itemsPerRequest: number
  readonly protocol: 'http' | 'grpc'
  readonly gzip: boolean
  readonly connections: number
  /** 0: as fast as answers come. */
  readonly itemsPerSecond: number
}

const t500 = { payload: 'collector-t500.pb', signal: 'traces', itemsPerRequest: 500 } as const
const t100 = { payload: 'collector-t100.pb', signal: 'traces', itemsPerRequest: 100 } as const
const t10 = { payload: 'collector-t10.pb', signal: 'traces', itemsPerRequest: 10 } as const
const m500 = { payload: 'collector-m500.pb', signal: 'metrics', itemsPerRequest: 500 } as const

const plain = { gzip: false, connections: 8 }
const zipped = { gzip: true, connections: 8, itemsPerSecond: 50_000 }
const saturated = { ...plain, itemsPerSecond: 0 }

export const cases: readonly Case[] = [
  { name: 'T500-http-100k', ...t500, ...plain, protocol: 'http', itemsPerSecond: 100_000 },
  { name: 'T500-grpc-100k', ...t500, ...plain, protocol: 'grpc', itemsPerSecond: 100_000 },
  { name: 'T500-http-gzip-50k', ...t500, ...zipped, protocol: 'http' },
  { name: 'T500-grpc-gzip-50k', ...t500, ...zipped, protocol: 'grpc' },
  { name: 'T10-http-50k', ...t10, ...plain, protocol: 'http', itemsPerSecond: 50_000 },
  { name: 'T10-grpc-50k', ...t10, ...plain, protocol: 'grpc', itemsPerSecond: 50_000 },
  { name: 'M500-http-100k', ...m500, ...plain, protocol: 'http', itemsPerSecond: 100_000 },
  { name: 'M500-grpc-100k', ...m500, ...plain, protocol: 'grpc', itemsPerSecond: 100_000 },
  { name: 'T500-http-sat', ...t500, ...saturated, protocol: 'http' },
  { name: 'T500-grpc-sat', ...t500, ...saturated, protocol: 'grpc' },
  { name: 'T100-http-sat', ...t100, ...saturated, protocol: 'http' },
  { name: 'T10-http-sat', ...t10, ...saturated, protocol: 'http' },
  { name: 'M500-http-sat', ...m500, ...saturated, protocol: 'http' },
]
