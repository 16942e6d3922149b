/** Turns TLS settings into what node:tls takes. Every complaint names the setting, the file and the rule. */
import { X509Certificate, createPrivateKey } from 'node:crypto'
import {
  type SecureContext,
  type SecureContextOptions,
  createSecureContext,
  getCACertificates,
} from 'node:tls'
import type { Secret } from '../../config/secret.ts'
import type { Disk } from '../../platform/platform.ts'
import { nodeVersion, opensslCiphers, opensslCurve } from './tls-names.ts'
import type { ClientTlsSettings, CommonTlsSettings, ServerTlsSettings } from './tls-settings.ts'

export interface ServerTls {
  /** For createServer and, after a reload, for setSecureContext. */
  readonly context: SecureContextOptions
  /** A client must present a certificate that `client_ca_file` vouches for. */
  readonly requestCert: boolean
}

export interface ClientTls {
  /** Built when first asked for, and once: parsing the system's authorities costs 50 ms. */
  readonly secureContext: SecureContext
  readonly rejectUnauthorized: boolean
  /** Name for SNI and verification; undefined means the endpoint's host. */
  readonly servername: string | undefined
}

/** `where` is the path of the settings, such as `protocols.http.tls`. */
export function loadServerTls(settings: ServerTlsSettings, disk: Disk, where: string): ServerTls {
  const authorities =
    settings.client_ca_file === undefined
      ? undefined
      : readCertificates(disk, settings.client_ca_file, `${where}.client_ca_file`)
  const context = { ...commonContext(settings, disk, where) }
  if (authorities !== undefined) context.ca = authorities
  return { context: verified(context, where), requestCert: authorities !== undefined }
}

/** As Go has it: `insecure` with an authority configured still means TLS. */
export function isPlaintext(settings: ClientTlsSettings): boolean {
  return settings.insecure && settings.ca_file === undefined && settings.ca_pem === undefined
}

export function loadClientTls(settings: ClientTlsSettings, disk: Disk, where: string): ClientTls {
  const context = commonContext(settings, disk, where)
  verified({ ca: [], ...context }, where)
  let secureContext: SecureContext | undefined
  return {
    get secureContext() {
      return (secureContext ??= createSecureContext({ ca: trustedRoots(), ...context }))
    },
    rejectUnauthorized: !settings.insecure_skip_verify,
    servername: settings.server_name_override,
  }
}

function commonContext(
  settings: CommonTlsSettings,
  disk: Disk,
  where: string,
): SecureContextOptions {
  const context: SecureContextOptions = {
    minVersion: nodeVersion(settings.min_version),
    maxVersion: nodeVersion(settings.max_version ?? '1.3'),
  }
  const cert = readItem(settings, 'cert', disk, where)
  const key = readItem(settings, 'key', disk, where)
  if (cert !== undefined && key !== undefined) {
    checkPair(cert, key)
    context.cert = cert.pem
    context.key = key.pem
  }
  const authority = readItem(settings, 'ca', disk, where)
  if (authority !== undefined) {
    const own = splitCertificates(authority)
    context.ca = settings.include_system_ca_certs_pool ? [...own, ...trustedRoots()] : own
  }
  const ciphers = settings.cipher_suites.length > 0 ? opensslCiphers(settings.cipher_suites) : ''
  // OpenSSL 3 refuses TLS 1.0 and 1.1 altogether above security level 0.
  const isOld = settings.min_version < '1.2'
  if (isOld) context.ciphers = `${ciphers || 'DEFAULT'}:@SECLEVEL=0`
  else if (ciphers !== '') context.ciphers = ciphers
  if (settings.curve_preferences.length > 0) {
    context.ecdhCurve = settings.curve_preferences.map(opensslCurve).join(':')
  }
  return context
}

interface Item {
  /** Setting and file, as complaints name them. */
  readonly name: string
  readonly pem: string
}

function readItem(
  settings: CommonTlsSettings,
  item: 'ca' | 'cert' | 'key',
  disk: Disk,
  where: string,
): Item | undefined {
  const path = settings[`${item}_file`]
  const pem: Secret | undefined = settings[`${item}_pem`]
  if (path !== undefined) return readFile(disk, path, `${where}.${item}_file`)
  return pem && { name: `${where}.${item}_pem`, pem: pem.reveal() }
}

function readFile(disk: Disk, path: string, setting: string): Item {
  try {
    return { name: `${setting} ${path}`, pem: new TextDecoder().decode(disk.readFile(path)) }
  } catch (error) {
    throw new Error(`${setting} ${path} cannot be read: ${reason(error)}`, { cause: error })
  }
}

function readCertificates(disk: Disk, path: string, setting: string): string[] {
  return splitCertificates(readFile(disk, path, setting))
}

/** Each by itself, so that a broken one is found here and named, where node:tls would skip it. */
function splitCertificates(item: Item): string[] {
  const found = item.pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g)
  if (found === null) throw new Error(`${item.name} must hold certificates in PEM form, found none`)
  for (const [index, pem] of found.entries()) parseCertificate(pem, item.name, index + 1)
  return found
}

function parseCertificate(pem: string, name: string, position: number): X509Certificate {
  try {
    return new X509Certificate(pem)
  } catch (error) {
    const message = `${name} must hold certificates in PEM form, number ${position} is broken`
    throw new Error(`${message}: ${reason(error)}`, { cause: error })
  }
}

function checkPair(cert: Item, key: Item): void {
  const [leaf] = splitCertificates(cert)
  if (/ENCRYPTED/.test(key.pem)) {
    throw new Error(`${key.name} must hold a private key without a passphrase, it is encrypted`)
  }
  let privateKey
  try {
    privateKey = createPrivateKey(key.pem)
  } catch (error) {
    throw new Error(`${key.name} must hold a private key in PEM form: ${reason(error)}`, {
      cause: error,
    })
  }
  if (!new X509Certificate(leaf).checkPrivateKey(privateKey)) {
    throw new Error(`${key.name} must be the key of the certificate in ${cert.name}, it is not`)
  }
}

/** What remains wrong after the single checks is a combination that OpenSSL refuses. */
function verified(context: SecureContextOptions, where: string): SecureContextOptions {
  try {
    createSecureContext(context)
  } catch (error) {
    throw new Error(`${where} cannot be used: ${reason(error)}`, { cause: error })
  }
  return context
}

let roots: string[] | undefined

/** The authorities Node brings and the system's: a container without ca-certificates works, and so does a company's own. */
function trustedRoots(): string[] {
  roots ??= [...new Set([...getCACertificates('default'), ...getCACertificates('system')])]
  return roots
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
