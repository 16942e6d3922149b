import { z } from 'zod'
import { secret, section, text, unsupported } from '../../../config/schema.ts'
import { headerName, isHeaderValue } from '../../../kit/auth/header-syntax.ts'
import type { ConfigProblem } from '../../../pipeline/component.ts'

export const settings = section({
  scheme: text()
    .refine(isHeaderValue, 'must be one line without control characters')
    .default('Bearer')
    .describe('Stands before the token, with a space; empty for the token alone.'),
  header: headerName().default('Authorization').describe('The header that carries the token.'),
  token: secret().optional().describe('The token.'),
  tokens: z
    .array(secret())
    .default([])
    .describe('Several, of which a server takes any; a client sends the first.'),
  filename: text()
    .optional()
    .describe(
      'File with a token on each line, in place of the others; read again when it changes.',
    ),
  file_retry: unsupported('the start fails when the file is missing'),
})

export type BearerTokenSettings = z.output<typeof settings>

export function checkSettings(config: BearerTokenSettings): ConfigProblem[] {
  const { token, tokens, filename } = config
  const isSet = token !== undefined && token.reveal() !== ''
  const problems: ConfigProblem[] = []
  if (!isSet && tokens.length === 0 && filename === undefined) {
    problems.push({ path: ['token'], message: 'is required, or tokens or filename' })
  }
  if (isSet && tokens.length > 0) {
    problems.push({ path: ['tokens'], message: 'cannot be set together with token' })
  } else if (filename !== undefined && (isSet || tokens.length > 0)) {
    const message = 'has no effect: the tokens in filename take its place'
    problems.push({ path: [isSet ? 'token' : 'tokens'], message, severity: 'warning' })
  }
  if (isSet && !isHeaderValue(token.reveal())) {
    problems.push({ path: ['token'], message: 'must be one line without control characters' })
  }
  for (const [index, each] of tokens.entries()) {
    if (each.reveal() !== '' && isHeaderValue(each.reveal())) continue
    const message = 'must be one line of text without control characters'
    problems.push({ path: ['tokens', index], message })
  }
  return problems
}
