import { z } from 'zod'
import { duration, optionalSection, section, text, unsupported } from '../../../config/schema.ts'
import type { ConfigProblem } from '../../../pipeline/component.ts'

export const fileSettings = section({
  path: text().min(1, 'must not be empty').describe('File to write; its folder must exist.'),
  format: z
    .enum(['json', 'proto'])
    .default('json')
    .describe('json: one OTLP request a line. proto: each after its length, 4 bytes big-endian.'),
  append: z
    .boolean()
    .default(false)
    .describe('Keep what an existing file holds; it is emptied at start otherwise.'),
  compression: z
    .enum(['', 'none', 'zstd'])
    .default('')
    .describe('zstd: every request is a frame of its own, after its length as with proto.'),
  flush_interval: duration()
    .prefault('1s')
    .describe('Accepted; a batch is answered for only once the system has it.'),
  rotation: optionalSection({
    max_megabytes: z
      .number()
      .int()
      .min(0)
      .default(100)
      .describe('A file that would grow over this is renamed with the time in its name.'),
    max_days: z.number().int().min(0).default(0).describe('Remove older files; 0 keeps them.'),
    max_backups: z.number().int().min(0).default(100).describe('Most files to keep; 0 keeps all.'),
    localtime: z.boolean().default(false).describe('Name files by local time instead of UTC.'),
  }).describe('Start a new file by size; what the file holds at start is kept.'),
  create_directory: unsupported('create the folder before'),
  directory_permissions: unsupported('it goes with create_directory'),
  encoding: unsupported('encoding extensions; see format'),
  group_by: unsupported('a file for each resource'),
})

export type FileSettings = z.output<typeof fileSettings>
export type RotationSettings = NonNullable<FileSettings['rotation']>

export function checkFile(settings: FileSettings): ConfigProblem[] {
  const { append, rotation, compression } = settings
  const problems: ConfigProblem[] = []
  if (append && rotation !== undefined) {
    problems.push({ path: ['append'], message: 'must not be set together with rotation' })
  }
  if (append && compression === 'zstd') {
    problems.push({ path: ['append'], message: 'must not be set together with compression' })
  }
  return problems
}
