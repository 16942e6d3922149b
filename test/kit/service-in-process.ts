/** A whole gateway from YAML in this process, on free ports, with a real clock. */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { catalog } from '../../src/components/catalog.ts'
import { renderComplaints } from '../../src/config/complaint.ts'
import { loadConfig } from '../../src/config/load-config.ts'
import type { Logger } from '../../src/pipeline/host.ts'
import { nodePlatform } from '../../src/platform/node/node-platform.ts'
import { checkConfig } from '../../src/service/check-config.ts'
import { Service } from '../../src/service/service.ts'
import { readOnlyDisk } from './memory-disk.ts'

export interface RunningService {
  readonly service: Service
  /** Port of the listener that a component opened; a receiver's second one is `otlp 2`. */
  readonly port: (component: string) => number
}

/** Starts it; it stops with the test. `files` are read in place of the machine's. */
export async function runService(
  context: TestContext,
  yaml: string,
  files: Readonly<Record<string, string>> = {},
): Promise<RunningService> {
  const disk = readOnlyDisk({ ...files, 'gateway.yaml': yaml })
  const { complaints, config } = checkConfig(
    loadConfig({ configs: ['gateway.yaml'], sets: [] }, {}, disk),
    catalog,
  )
  assert.ok(config, renderComplaints(complaints))
  const ports = new Map<string, number>()
  const logger = (component: string): Logger => ({
    debug: () => {},
    info: (fields) => {
      if (!('port' in fields)) return
      const name = ports.has(component) ? `${component} 2` : component
      ports.set(name, fields.port as number)
    },
    warn: () => {},
    error: () => {},
  })
  const service = new Service(config, {
    platform: {
      ...nodePlatform,
      disk: { ...nodePlatform.disk, readFile: (path) => disk.readFile(path) },
    },
    version: '0.0.0',
    onFatal: (error) => assert.fail(error),
    logs: {
      root: logger(''),
      for: (fields) => logger(fields['otelcol.component.id'] ?? ''),
    },
  })
  await service.start()
  context.after(() => service.stop())
  return { service, port: (component) => ports.get(component)! }
}
