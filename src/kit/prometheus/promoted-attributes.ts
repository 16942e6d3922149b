/** Which resource attributes become labels, as patterns say it: `*` for any run of characters, `?` for one. */

export interface AttributePatterns {
  /** Undefined takes all. */
  readonly included?: readonly string[] | undefined
  readonly excluded: readonly string[]
}

export function matchesPatterns(patterns: AttributePatterns): (key: string) => boolean {
  const included = patterns.included?.map(wildcard)
  const excluded = patterns.excluded.map(wildcard)
  return (key) =>
    (included === undefined || included.some((matches) => matches(key))) &&
    !excluded.some((matches) => matches(key))
}

/** Matches without backtracking over more than the last star, so no pattern can make it slow. */
function wildcard(pattern: string): (key: string) => boolean {
  if (!/[*?]/.test(pattern)) return (key) => key === pattern
  return (key) => {
    let at = 0
    let star = -1
    let retry = 0
    let index = 0
    while (index < key.length) {
      if (at < pattern.length && pattern[at] === '*') {
        star = at++
        retry = index
      } else if (at < pattern.length && (pattern[at] === '?' || pattern[at] === key[index])) {
        at++
        index++
      } else if (star !== -1) {
        at = star + 1
        index = ++retry
      } else return false
    }
    while (pattern[at] === '*') at++
    return at === pattern.length
  }
}
