import type { Problem } from '@drover/history'

/** What a child is to do: call a function of a module's default export with a connection, in one transaction. */
export interface ModuleTask {
  /** The database that it is given a connection to. Missing for a function that is about none. */
  readonly database?: {
    /** With its password: it is sent over the channel, because others can read environments and arguments. */
    readonly url: string
    /** What the URL came from, for messages. */
    readonly source: string
  }
  /** Absolute path of the workspace's root, which becomes the child's current folder. */
  readonly root: string
  /** Absolute path of the module. */
  readonly file: string
  /** The function to call. */
  readonly call: string
  /** The functions that the module has to have, or must not have. */
  readonly expected: Readonly<Record<string, boolean>>
  /** Statements at the beginning and at the end of the transaction. */
  readonly before: string
  readonly after: string
  /** What the function is told besides. Default: nothing. */
  readonly about?: Readonly<Record<string, unknown>>
}

/** What a parent says. */
export type ParentMessage =
  | {
      readonly type: 'run'
      /** Its process id: by the time that a child asks for it, it may be another's. */
      readonly parent: number
      readonly task: ModuleTask
    }
  | { readonly type: 'abort' }

/** What a child says. `ended` comes last; without a fault, everything was committed. */
export type ChildMessage =
  | { readonly type: 'progress'; readonly progress: ModuleProgress }
  | { readonly type: 'ended'; readonly fault?: ModuleFault }

/** How far a function has come. */
export interface ModuleProgress {
  readonly done: number
  readonly total?: number
  /** Whether the total is only about that. */
  readonly estimated?: boolean
  /** Since it was called. */
  readonly elapsedMs: number
}

/** Why nothing was committed. */
export interface ModuleFault {
  /**
   * `module`: the module is not what it should be. `code`: something of it has thrown. `statement`: the server has refused
   * something. `connection`: what is in the way is no business of the module. `torn`: it has ended the transaction, and
   * what it did before that was committed after all.
   */
  readonly kind: 'module' | 'code' | 'statement' | 'connection' | 'torn'
  readonly message: string
  /** In the module, from 1. */
  readonly line?: number
  /** Of the module, that the server has refused. */
  readonly statement?: string
  /** What the server has said, under the driver's names. */
  readonly server?: Readonly<Record<string, string>>
  /** What is wrong with the connection. */
  readonly problem?: Problem
}
