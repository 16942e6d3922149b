/** Waits for what real sockets bring about, without a sleep; fails after five seconds. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const startMs = performance.now()
  while (!(await condition())) {
    if (performance.now() - startMs > 5000) throw new Error(`in vain: until ${String(condition)}`)
    await new Promise((done) => setImmediate(done))
  }
}
