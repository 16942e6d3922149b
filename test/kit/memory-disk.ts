import type { Disk } from '../../src/platform/platform.ts'

/** A disk that holds these texts and takes nothing. */
export function readOnlyDisk(files: Readonly<Record<string, string>>): Disk {
  const refuse = () => Promise.reject(new Error('this disk is read-only'))
  return {
    readFile: (path) => {
      if (Object.hasOwn(files, path)) return new TextEncoder().encode(files[path])
      throw Object.assign(new Error(`ENOENT: no such file or directory, open '${path}'`), {
        code: 'ENOENT',
      })
    },
    openAppend: refuse,
    byteLength: (path) => Promise.resolve(files[path]?.length),
    rename: refuse,
    remove: refuse,
    list: () => Promise.resolve(Object.keys(files)),
  }
}
