import { execFileSync, spawnSync } from 'node:child_process'

/**
 * The path of a program from a Debian package, which is installed when it is missing. Needs root for that. `folders` as
 * in PATH say where to look for it.
 */
export function debianProgram(
  program: string,
  debianPackage: string,
  folders = process.env.PATH ?? '',
): string {
  const find = () =>
    spawnSync('/bin/sh', ['-c', `command -v ${program}`], {
      encoding: 'utf8',
      env: { PATH: folders },
    }).stdout.trim()
  const known = find()
  if (known !== '') return known
  const options = {
    stdio: 'pipe',
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  } as const
  execFileSync('apt-get', ['update', '-q'], options)
  execFileSync(
    'apt-get',
    ['install', '-q', '-y', '--no-install-recommends', debianPackage],
    options,
  )
  return find()
}
