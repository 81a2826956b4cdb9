/** What a start is doing, or waiting for, right now. */
export type StartEvent =
  | { readonly type: 'waiting-for-starter'; readonly pid: number; readonly folder: string }
  | { readonly type: 'placing-data-outside'; readonly folder: string; readonly outside: string; readonly user: string }
  | { readonly type: 'copying-programs'; readonly from: string; readonly to: string }
  | { readonly type: 'creating-cluster'; readonly folder: string }
  | { readonly type: 'removing-stale-pid-file'; readonly file: string; readonly pid: number }
  | { readonly type: 'starting'; readonly port: number }
  | { readonly type: 'waiting-for-server'; readonly pid: number; readonly status: string }
