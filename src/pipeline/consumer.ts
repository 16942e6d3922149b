import type { Batch } from '../otlp/batch.ts'
import type { Refusal } from '../otlp/refusal.ts'

/** What every link of a pipeline offers the one before it. */
export interface Consumer {
  /**
   * Returns, or settles, once the batch is someone else's duty; throws, or rejects with, a Refusal when it was not
   * taken. Synchronous whenever nothing must wait.
   */
  consume(batch: Batch): void | Promise<void>

  /**
   * Asked at the door, before a body of `byteLength` is read or decoded (an estimate where the length is unknown):
   * the refusal to answer with, or undefined to go on. Absent means always welcome.
   */
  admit?(byteLength: number): Refusal | undefined
}
