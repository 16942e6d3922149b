/** Who sent a batch, as far as the receiver was told to keep it (`include_metadata`, `auth`). */
export interface ClientInfo {
  /** The socket peer without its port, such as 10.0.0.7. */
  readonly address: string
  /** Lower-case header name to its values; empty unless the receiver has `include_metadata`. */
  readonly metadata: ReadonlyMap<string, readonly string[]>
  /** Attributes an authenticator set, such as `subject`. */
  readonly auth: ReadonlyMap<string, string>
}
