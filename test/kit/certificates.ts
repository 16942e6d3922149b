import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** Certificates made by certificates/make.sh: `server`, `renewed` and `client` are of `authority`, `intruder` is of `stranger`. */
export type CertificateName =
  | 'authority'
  | 'stranger'
  | 'server'
  | 'renewed'
  | 'client'
  | 'intruder'

export function certificatePath(name: CertificateName | `${CertificateName | 'encrypted'}-key`) {
  return fileURLToPath(new URL(`certificates/${name}.pem`, import.meta.url))
}

export function certificate(
  name: CertificateName | `${CertificateName | 'encrypted'}-key`,
): string {
  return readFileSync(certificatePath(name), 'utf8')
}
