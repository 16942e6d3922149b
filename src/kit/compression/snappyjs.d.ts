declare module 'snappyjs' {
  const snappyJs: {
    compress(bytes: Uint8Array): Uint8Array
    uncompress(bytes: Uint8Array): Uint8Array
  }
  // oxlint-disable-next-line import/no-default-export
  export default snappyJs
}
