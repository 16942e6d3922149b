/** The Collector's TLS blocks (configtls), for servers and for clients. */
import { z } from 'zod'
import {
  duration,
  optionalSection,
  secret,
  section,
  text,
  unsupported,
} from '../../config/schema.ts'
import { cipherSuiteProblem, curveNames, tlsVersions } from './tls-names.ts'

const commonShape = {
  ca_file: text().optional().describe('PEM file of the certificate authorities to trust.'),
  ca_pem: secret().optional().describe('The same as text, instead of `ca_file`.'),
  cert_file: text().optional().describe('PEM file of our certificate, followed by its chain.'),
  cert_pem: secret().optional().describe('The same as text, instead of `cert_file`.'),
  key_file: text().optional().describe('PEM file of the private key, not encrypted.'),
  key_pem: secret().optional().describe('The same as text, instead of `key_file`.'),
  include_system_ca_certs_pool: z
    .boolean()
    .default(false)
    .describe('Trust the system and built-in authorities besides `ca_file`.'),
  min_version: tlsVersion().prefault('1.2').describe('Lowest TLS version to speak.'),
  max_version: tlsVersion().optional().describe('Highest TLS version; empty means 1.3.'),
  cipher_suites: z
    .array(text())
    .default([])
    .describe('Suites for TLS 1.2 and older by their IANA names; empty means the safe ones.'),
  include_insecure_cipher_suites: z
    .boolean()
    .default(false)
    .describe('Allow weak suites in `cipher_suites`.'),
  curve_preferences: z
    .array(z.enum(curveNames))
    .default([])
    .describe('Key exchange curves in order of preference.'),
  reload_interval: duration()
    .prefault('0')
    .describe('How often to read the files again; 0 means never.'),
  tpm: unsupported('keys in a TPM'),
}

const serverShape = {
  ...commonShape,
  client_ca_file: text()
    .optional()
    .describe('Authorities of client certificates; with it, a client must present a valid one.'),
  client_ca_file_reload: z
    .boolean()
    .default(false)
    .describe('Read `client_ca_file` again every 10s, or every `reload_interval` if that is set.'),
}

const clientShape = {
  ...commonShape,
  insecure: z.boolean().default(false).describe('Speak plaintext. Has no effect on https:// URLs.'),
  insecure_skip_verify: z
    .boolean()
    .default(false)
    .describe('Speak TLS, but accept any certificate.'),
  server_name_override: text()
    .optional()
    .describe('Name to ask for and to verify, instead of the host of the endpoint.'),
}

/** `tls` of a server: plaintext when absent, and as in the Collector when left empty. */
export function serverTlsSettings() {
  const settings = optionalSection(serverShape).superRefine((value, context) => {
    if (value === undefined) return
    checkCommon(value, context)
    for (const item of ['cert', 'key'] as const) {
      const tls = value as ServerTlsSettings
      if (tls[`${item}_file`] === undefined && tls[`${item}_pem`] === undefined) {
        const message = 'is required: a TLS server needs a certificate and its key'
        report(context, `${item}_file`, message)
      }
    }
  })
  return z
    .preprocess((value) => value ?? undefined, settings)
    .optional()
    .describe('Serve over TLS; plaintext when absent.')
}

/** `tls` of a client: TLS with the system's authorities unless said otherwise. */
export function clientTlsSettings() {
  return section(clientShape)
    .superRefine((value, context) => {
      const settings: ClientTlsSettings = value
      checkCommon(settings, context)
      const hasCert = settings.cert_file !== undefined || settings.cert_pem !== undefined
      const hasKey = settings.key_file !== undefined || settings.key_pem !== undefined
      if (hasCert !== hasKey) {
        report(
          context,
          hasCert ? 'key_file' : 'cert_file',
          'is required: certificate and key go together',
        )
      }
    })
    .describe('How to secure the connection.')
}

export type ServerTlsSettings = z.output<z.ZodObject<typeof serverShape>>
export type ClientTlsSettings = z.output<z.ZodObject<typeof clientShape>>
export type CommonTlsSettings = z.output<z.ZodObject<typeof commonShape>>

/** YAML reads an unquoted 1.3 as a number; both spellings mean the version. */
function tlsVersion() {
  return z.preprocess(
    (value) => (typeof value === 'number' ? value.toFixed(1) : value),
    z.enum(tlsVersions),
  )
}

function checkCommon(settings: CommonTlsSettings, context: z.RefinementCtx): void {
  for (const item of ['ca', 'cert', 'key'] as const) {
    if (settings[`${item}_file`] !== undefined && settings[`${item}_pem`] !== undefined) {
      report(context, `${item}_pem`, `cannot be set together with ${item}_file`)
    }
  }
  if (settings.max_version !== undefined && settings.max_version < settings.min_version) {
    report(context, 'max_version', `must not be below min_version ${settings.min_version}`)
  }
  for (const [index, name] of settings.cipher_suites.entries()) {
    const problem = cipherSuiteProblem(name, settings.include_insecure_cipher_suites)
    if (problem !== undefined) {
      context.addIssue({ code: 'custom', path: ['cipher_suites', index], message: problem })
    }
  }
}

function report(context: z.RefinementCtx, key: string, message: string): void {
  context.addIssue({ code: 'custom', path: [key], message })
}
