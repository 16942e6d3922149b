/** Credentials before the @ of a URL, or before that of a `user:password@host` that lost its scheme. */
export const userInfoPattern = /(?<=\/\/)[^/\s"']+(?=@)|(?<=^|[\s"'])[^/@:\s"']+:[^/\s"']+(?=@)/g

export function maskUserInfo(text: string): string {
  return text.replaceAll(userInfoPattern, '[REDACTED]')
}
