/** The known name most like a mistyped one, or undefined when none is near enough to be meant. */
export function nearest(name: string, known: Iterable<string>): string | undefined {
  const wanted = plain(name)
  let best: string | undefined
  let bestDistance = Infinity
  for (const candidate of known) {
    const other = plain(candidate)
    const allowed = Math.min(3, Math.floor(Math.max(wanted.length, other.length) / 3))
    if (Math.abs(wanted.length - other.length) > allowed) continue
    const distance = editDistance(wanted, other)
    if (distance <= allowed && distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  return best ?? onlyBeginning(wanted, known)
}

/** The first known name that begins with what was written, such as `spike_limit_mib` for `spike`. */
function onlyBeginning(wanted: string, known: Iterable<string>): string | undefined {
  if (wanted.length < 2) return undefined
  const found = [...known].filter((each) => plain(each).startsWith(wanted))
  return found[0]
}

/** `; did you mean x?`, or nothing. */
export function didYouMean(name: string, known: Iterable<string>): string {
  const found = nearest(name, known)
  return found === undefined ? '' : `; did you mean ${found}?`
}

// Case and word breaks are what people get wrong first, so they count as no difference.
function plain(name: string): string {
  return name.toLowerCase().replaceAll(/[-_]/g, '').slice(0, 64)
}

/** Insertions, deletions, replacements and swaps of neighbours that lead from one to the other. */
export function editDistance(from: string, to: string): number {
  let before: number[] = []
  let previous = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (let row = 1; row <= from.length; row++) {
    const current = [row]
    for (let column = 1; column <= to.length; column++) {
      const isSame = from[row - 1] === to[column - 1]
      let cost = Math.min(
        previous[column] + 1,
        current[column - 1] + 1,
        previous[column - 1] + (isSame ? 0 : 1),
      )
      const isSwap = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1]
      if (row > 1 && column > 1 && isSwap) cost = Math.min(cost, before[column - 2] + 1)
      current.push(cost)
    }
    before = previous
    previous = current
  }
  return previous[to.length]
}
