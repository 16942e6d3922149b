/** The outside world as interfaces. platform/node holds the real ones; tests bring their own. */

export interface Timer {
  cancel(): void
}

export interface Clock {
  /** Wall clock, epoch milliseconds. */
  nowMs(): number
  /** Never goes back; only differences mean anything. */
  monotonicMs(): number
  /** Calls back once, after at least `delayMs`; does not keep the process alive. */
  after(delayMs: number, callback: () => void): Timer
  /** Calls back every `periodMs`, of which 24 days are the most; does not keep the process alive. */
  every(periodMs: number, callback: () => void): Timer
}

export interface Random {
  /** Uniform in [0, 1). */
  next(): number
  bytes(length: number): Uint8Array
}

export interface DiskFile {
  /** Appends all of it, in order; settles when the kernel has it. */
  append(bytes: Uint8Array): Promise<void>
  /** Cuts the end off, such as that of a torn write; later appends go to the new end. */
  truncate(byteLength: number): Promise<void>
  sync(): Promise<void>
  close(): Promise<void>
}

export interface Disk {
  readFile(path: string): Uint8Array
  /** Opens for appending; `truncate` empties it first. Missing folders are an error. */
  openAppend(path: string, options: { truncate: boolean }): Promise<DiskFile>
  /** Byte length, or undefined when there is no such file. */
  byteLength(path: string): Promise<number | undefined>
  rename(from: string, to: string): Promise<void>
  remove(path: string): Promise<void>
  /** Names inside a folder. */
  list(path: string): Promise<string[]>
}

/** Environment variables by name. */
export type Env = Readonly<Record<string, string | undefined>>

/** What the process costs, read when asked. */
export interface ProcessUsage {
  rssBytes(): number
  /** User and system time since the start. */
  cpuSeconds(): number
  heapUsedBytes(): number
  /** Heap, external memory and array buffers that the process has reserved. */
  reservedBytes(): number
  /** Memory the process may use: the limit of its cgroup, else what the machine has. */
  availableBytes(): number
  /** Calls back after each garbage collection with its kind and how long it took, until the result is called. */
  watchCollections(onCollection: (kind: string, seconds: number) => void): () => void
}

/** The outside world in one piece, as the service is handed it. */
export interface Platform {
  readonly clock: Clock
  readonly random: Random
  readonly disk: Disk
  readonly env: Env
  readonly usage: ProcessUsage
}
