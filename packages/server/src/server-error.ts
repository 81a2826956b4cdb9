/** What can go wrong with a server; callers switch on this, never on the message. */
export type ServerErrorCode =
  | 'UNSUPPORTED_PLATFORM'
  | 'FOLDER_UNUSABLE'
  | 'BELONGS_TO_OTHER_USER'
  | 'NO_UNPRIVILEGED_USER'
  | 'DAMAGED'
  | 'VERSION_MISMATCH'
  | 'BUSY'
  | 'INIT_FAILED'
  | 'START_FAILED'
  | 'STOP_FAILED'
  | 'NO_CONTAINER_ENGINE'
  | 'ENGINE_UNUSABLE'
  | 'IMAGE_UNAVAILABLE'
  | 'INVALID_URL'

/** Says what is wrong with a server, and in `hint` what to do about it; `cause` carries the original. */
export class ServerError extends Error {
  override readonly name = 'ServerError'
  readonly code: ServerErrorCode
  readonly hint: string

  constructor(code: ServerErrorCode, message: string, options: { readonly hint: string; readonly cause?: unknown }) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined)
    this.code = code
    this.hint = options.hint
  }
}
