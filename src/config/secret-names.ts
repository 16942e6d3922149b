import { editDistance } from './nearest.ts'

/**
 * Which settings are secret by their name alone. The schema's `secret()` is the rule; names cover what no schema sees:
 * mistyped keys, files that do not parse, environment variables.
 */
export function isSecretName(name: string): boolean {
  let isSecret = judged.get(name)
  if (isSecret === undefined) {
    isSecret = judge(name)
    if (judged.size >= judgedMax) judged.clear()
    judged.set(name, isSecret)
  }
  return isSecret
}

/** The same few names stand before most values of a configuration. */
const judged = new Map<string, boolean>()
const judgedMax = 1000

function judge(name: string): boolean {
  const words = name
    .replaceAll(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
  if (publicName.test(words.join('_'))) return false
  if (words.some((word) => secretWords.has(word))) return true
  const joined = words.join('')
  return longSecretWords.some(
    (word) => joined.includes(word) || (joined.length >= 4 && isTypoOf(joined, word)),
  )
}

function isTypoOf(name: string, word: string): boolean {
  return Math.abs(name.length - word.length) <= 1 && editDistance(name, word) <= 1
}

/** A secret by any key on the way; under `headers` every value is one, but not what names it or its source. */
export function isSecretPath(path: readonly (string | number)[]): boolean {
  return path.some((step, index) => {
    if (step === 'headers') return !isPublicOfHeader(path.slice(index + 1))
    return typeof step === 'string' && isSecretName(step)
  })
}

/** Of `headers` written as a list of `{ key, value }`. */
function isPublicOfHeader([index, field]: readonly (string | number)[]): boolean {
  return typeof index === 'number' && typeof field === 'string' && publicOfHeaders.has(field)
}

const publicOfHeaders = new Set([
  'key',
  'name',
  'action',
  'value_file',
  'from_context',
  'from_attribute',
])

// Names that hold a secret word and hold no secret: where one is kept, or what one is about.
const publicName =
  /_(file|filename|path|url|endpoint|header|type|ttl|enabled|name)$|^(metadata|routing|from)_|^max_|_cardinality_|^tokens?_per_|^bearer_?token_?auth/

const secretWords = new Set([
  'password',
  'passwd',
  'passphrase',
  'pwd',
  'token',
  'tokens',
  'secret',
  'secrets',
  'credential',
  'credentials',
  'authorization',
  'apikey',
  'htpasswd',
])

const longSecretWords = [
  'password',
  'passwd',
  'passphrase',
  'secret',
  'token',
  'credential',
  'authorization',
  'apikey',
  'accesskey',
  'privatekey',
  'keypem',
]
