/** What collectDefaultMetrics calls, one by one. */
declare module 'prom-client/lib/metrics/*.js' {
  const describe: (registry: import('prom-client').Registry) => void
  export default describe
}
