/** Regular expressions as users of the Collector write them: RE2's syntax, and like RE2 in time linear to the input. */
import { RE2JS, RE2JSSyntaxException } from 're2js'
import { z } from 'zod'

export interface Pattern {
  /** As it was written. */
  readonly source: string
  readonly groupCount: number
  /** Group names in the order of the groups. */
  readonly groupNames: readonly string[]
  /** Whether it matches anywhere in the text. */
  readonly test: (text: string) => boolean
  /** The named groups of the first match, empty for one that took no part; undefined without a match. */
  readonly groups: (text: string) => readonly (readonly [name: string, text: string])[] | undefined
}

/** Throws an Error that says what is wrong. */
export function compilePattern(source: string): Pattern {
  const compiled = compile(source)
  const namedGroups = compiled.namedGroups()
  const groupNames = Object.keys(namedGroups).sort((a, b) => namedGroups[a] - namedGroups[b])
  return {
    source,
    groupCount: compiled.groupCount(),
    groupNames,
    test: (text) => compiled.test(text),
    groups: (text) => {
      const matcher = compiled.matcher(text)
      if (!matcher.find()) return undefined
      return groupNames.map((name) => [name, matcher.group(name) ?? ''] as const)
    },
  }
}

/** A pattern whose answers are remembered, for texts that come again and again, such as attribute keys. */
export function remembering(pattern: Pattern, answerCountMax = 1024): (text: string) => boolean {
  const answers = new Map<string, boolean>()
  return (text) => {
    let answer = answers.get(text)
    if (answer === undefined) {
      // Starting over costs little, and needs no account of which were used.
      if (answers.size >= answerCountMax) answers.clear()
      answer = pattern.test(text)
      answers.set(text, answer)
    }
    return answer
  }
}

/** A regular expression as a setting. */
export function pattern() {
  return z
    .string()
    .transform((source, context) => {
      try {
        return compilePattern(source)
      } catch (error) {
        context.addIssue({ code: 'custom', message: (error as Error).message })
        return z.NEVER
      }
    })
    .meta({ form: 'regular expression (RE2)' })
}

function compile(source: string): RE2JS {
  try {
    return RE2JS.compile(source)
  } catch (error) {
    if (!(error instanceof RE2JSSyntaxException)) throw error
    throw new Error(`must be a regular expression in RE2 syntax: ${error.getDescription()}`, {
      cause: error,
    })
  }
}
