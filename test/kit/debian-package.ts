import { execFileSync, spawnSync } from 'node:child_process'

/** The path of a program from a Debian package, which is installed when it is missing. Needs root for that. */
export function debianProgram(program: string, debianPackage: string): string {
  const find = () =>
    spawnSync('sh', ['-c', `command -v ${program}`], { encoding: 'utf8' }).stdout.trim()
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
