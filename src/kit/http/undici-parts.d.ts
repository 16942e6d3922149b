/** The files of undici that are imported by themselves, with the types of its index. */

declare module 'undici/lib/dispatcher/agent.js' {
  // oxlint-disable-next-line import/no-default-export
  export { Agent as default } from 'undici'
}

declare module 'undici/lib/core/connect.js' {
  // oxlint-disable-next-line import/no-default-export
  export { buildConnector as default } from 'undici'
}

declare module 'undici/lib/api/api-request.js' {
  import type { Dispatcher } from 'undici'
  function request(
    this: Dispatcher,
    options: Dispatcher.RequestOptions,
  ): Promise<Dispatcher.ResponseData>
  // oxlint-disable-next-line import/no-default-export
  export default request
}
