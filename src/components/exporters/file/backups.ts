/** Names of rotated files: traces.json becomes traces-2026-01-31T23-59-59.999.json. */
import { basename, dirname, extname, join } from 'node:path'
import type { Disk } from '../../../platform/platform.ts'
import type { RotationSettings } from './settings.ts'

const dayMs = 24 * 60 * 60 * 1000
const stampPattern = /^(\d{4})-(\d\d)-(\d\d)T(\d\d)-(\d\d)-(\d\d)\.(\d{3})$/

/** A name that no file has yet: two rotations in one millisecond must not lose the first. */
export async function backupPath(
  path: string,
  nowMs: number,
  rotation: RotationSettings,
  disk: Disk,
): Promise<string> {
  const extension = extname(path)
  const stem = path.slice(0, path.length - extension.length)
  for (let timeMs = nowMs; ; timeMs++) {
    const candidate = `${stem}-${stamp(timeMs, rotation.localtime)}${extension}`
    if ((await disk.byteLength(candidate)) === undefined) return candidate
  }
}

export async function removeOldBackups(
  path: string,
  nowMs: number,
  rotation: RotationSettings,
  disk: Disk,
): Promise<void> {
  const extension = extname(path)
  const prefix = `${basename(path, extension)}-`
  const folder = dirname(path)
  const backups = (await disk.list(folder))
    .filter((name) => name.startsWith(prefix) && name.endsWith(extension))
    .map((name) => ({
      name,
      timeMs: stampTimeMs(name.slice(prefix.length, name.length - extension.length), rotation),
    }))
    .filter((backup) => backup.timeMs !== undefined)
    .sort((one, other) => other.timeMs! - one.timeMs!)
  const oldestMs = rotation.max_days > 0 ? nowMs - rotation.max_days * dayMs : -Infinity
  const countMax = rotation.max_backups > 0 ? rotation.max_backups : Infinity
  for (const [index, { name, timeMs }] of backups.entries()) {
    if (index >= countMax || timeMs! < oldestMs) await disk.remove(join(folder, name))
  }
}

function stamp(timeMs: number, isLocal: boolean): string {
  const shiftMs = isLocal ? new Date(timeMs).getTimezoneOffset() * 60_000 : 0
  return new Date(timeMs - shiftMs).toISOString().slice(0, -1).replaceAll(':', '-')
}

function stampTimeMs(text: string, rotation: RotationSettings): number | undefined {
  const found = stampPattern.exec(text)
  if (found === null) return undefined
  const [year, month, day, hour, minute, second, milli] = found.slice(1).map(Number)
  return rotation.localtime
    ? new Date(year, month - 1, day, hour, minute, second, milli).getTime()
    : Date.UTC(year, month - 1, day, hour, minute, second, milli)
}
