import type { Command } from 'commander'

import type { CommonOptions, Session } from '../session.ts'

/** What a command does. */
export type Action<Options> = (session: Session, options: Options, ...positionals: readonly string[]) => Promise<number>

/** Describes a command. Its code is loaded when it is called. */
export type Add = <Options extends CommonOptions>(
  name: string,
  summary: string,
  example: string,
  load: (options: Options) => Promise<Action<Options>>,
) => Command

/** Commands by their names, in the order in which help lists them, each with what describes it. */
export type Commands = Readonly<
  Record<string, (syntax: { readonly add: Add; readonly argv: readonly string[] }) => void>
>
