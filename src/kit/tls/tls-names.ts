/** The names Go has for versions, curves and cipher suites, and OpenSSL's for the same things. */
import type { SecureVersion } from 'node:tls'

export const tlsVersions = ['1.0', '1.1', '1.2', '1.3'] as const
export type TlsVersion = (typeof tlsVersions)[number]

export const curveNames = ['X25519', 'P256', 'P384', 'P521', 'X25519MLKEM768'] as const
export type CurveName = (typeof curveNames)[number]

export function nodeVersion(version: TlsVersion): SecureVersion {
  return version === '1.0' ? 'TLSv1' : `TLSv${version}`
}

export function opensslCurve(name: CurveName): string {
  return name.replace(/^P(?=\d)/, 'P-')
}

const safeSuites: Readonly<Record<string, string>> = {
  TLS_AES_128_GCM_SHA256: 'TLS_AES_128_GCM_SHA256',
  TLS_AES_256_GCM_SHA384: 'TLS_AES_256_GCM_SHA384',
  TLS_CHACHA20_POLY1305_SHA256: 'TLS_CHACHA20_POLY1305_SHA256',
  TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA: 'ECDHE-ECDSA-AES128-SHA',
  TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA: 'ECDHE-ECDSA-AES256-SHA',
  TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA: 'ECDHE-RSA-AES128-SHA',
  TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA: 'ECDHE-RSA-AES256-SHA',
  TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256: 'ECDHE-ECDSA-AES128-GCM-SHA256',
  TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384: 'ECDHE-ECDSA-AES256-GCM-SHA384',
  TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256: 'ECDHE-RSA-AES128-GCM-SHA256',
  TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384: 'ECDHE-RSA-AES256-GCM-SHA384',
  TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256: 'ECDHE-RSA-CHACHA20-POLY1305',
  TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256: 'ECDHE-ECDSA-CHACHA20-POLY1305',
}

const weakSuites: Readonly<Record<string, string>> = {
  TLS_RSA_WITH_AES_128_CBC_SHA: 'AES128-SHA',
  TLS_RSA_WITH_AES_256_CBC_SHA: 'AES256-SHA',
  TLS_RSA_WITH_AES_128_CBC_SHA256: 'AES128-SHA256',
  TLS_RSA_WITH_AES_128_GCM_SHA256: 'AES128-GCM-SHA256',
  TLS_RSA_WITH_AES_256_GCM_SHA384: 'AES256-GCM-SHA384',
  TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256: 'ECDHE-ECDSA-AES128-SHA256',
  TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256: 'ECDHE-RSA-AES128-SHA256',
}

/** Why a suite cannot be used, or undefined when it can. RC4 and 3DES are in no OpenSSL that Node is built with. */
export function cipherSuiteProblem(name: string, allowWeak: boolean): string | undefined {
  if (name in safeSuites || (allowWeak && name in weakSuites)) return undefined
  if (name in weakSuites) {
    return `${name} is weak: set include_insecure_cipher_suites: true to use it all the same`
  }
  return `${name} is not a cipher suite known here, such as TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256`
}

/**
 * OpenSSL's cipher list. The suites of TLS 1.3 are always in it, because Go does not let a list switch them off either.
 */
export function opensslCiphers(names: readonly string[]): string {
  const own = names.map((name) => safeSuites[name] ?? weakSuites[name])
  const always = Object.keys(safeSuites).filter((name) => /^TLS_(AES|CHACHA)/.test(name))
  return [...new Set([...always, ...own])].join(':')
}
