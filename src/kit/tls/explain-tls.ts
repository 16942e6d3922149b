/** Says in words what OpenSSL's codes for a plaintext peer mean. */

const plaintextCodes = new Set([
  'ERR_SSL_WRONG_VERSION_NUMBER',
  'ERR_SSL_PACKET_LENGTH_TOO_LONG',
  'ERR_SSL_HTTP_REQUEST',
  'ERR_SSL_UNKNOWN_PROTOCOL',
])

const certificateCodes = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
])

/** What a client's connection error means and which setting answers it; undefined when TLS is not the matter. */
export function explainClientTlsError(error: unknown, endpoint: string): string | undefined {
  for (let at = error; at instanceof Error; at = at.cause) {
    const code = (at as NodeJS.ErrnoException).code ?? ''
    if (
      plaintextCodes.has(code) ||
      /wrong version number|packet length too long/.test(at.message)
    ) {
      return `${endpoint} does not speak TLS: ${settingForPlaintext(endpoint)} if plaintext is meant`
    }
    if (certificateCodes.has(code)) {
      return (
        `${endpoint} has a certificate of an authority that is not trusted (${code}): ` +
        'name the authority in tls.ca_file, or set tls.insecure_skip_verify: true'
      )
    }
    if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
      return `${endpoint} has a certificate for another name: see tls.server_name_override`
    }
  }
  return undefined
}

/** What is to be changed to speak plaintext to an endpoint: its scheme, where it has one, overrides `tls`. */
export function settingForPlaintext(endpoint: string): string {
  const isUrl = endpoint.startsWith('https://')
  return isUrl ? 'write http:// in place of https://' : 'set tls.insecure: true'
}

/** An error's text with OpenSSL's reasons alone, without its thread, codes, functions and source files. */
export function withoutOpenSslPlaces(text: string): string {
  // From the beginning of a word only: a peer may write a long one, which must not be looked through for each letter.
  return text.replaceAll(/\b[0-9A-F]+:error:[0-9A-F]+:[^:]*:[^:]*:([^:]*):[^:]*:\d+:\s*/g, '$1')
}

/** Whether a server's handshake failed because its client spoke plaintext. */
export function isPlaintextClient(error: unknown): boolean {
  return plaintextCodes.has((error as NodeJS.ErrnoException).code ?? '')
}

/** Whether the first bytes on a plaintext socket are a TLS handshake. */
export function isTlsHello(bytes: Uint8Array): boolean {
  return bytes.length > 2 && bytes[0] === 0x16 && bytes[1] === 0x03
}
