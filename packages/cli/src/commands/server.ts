import { join } from 'node:path'

import { DroverError } from '@drover/history'
import { type Workspace, selectDatabases } from '@drover/orchestrator'
import { findEmbedded, type RunningServer, serverUrl, startEmbedded, stopEmbedded } from '@drover/server'

import { describeStart, translateServerErrors } from '../development-server.ts'
import type { ExitCode } from '../exit-code.ts'
import { type CommonOptions, serverFolder, type Session } from '../session.ts'

/** Starts, stops and tells about the development server. */
export async function server(session: Session, _options: CommonOptions, action = '', name?: string): Promise<ExitCode> {
  const { workspace } = await session.workspace()
  const folder = serverFolder(workspace.root)
  switch (action) {
    case 'start': {
      const started = await start(session, folder)
      session.print(`${started.reused ? 'already running' : 'started'}: ${describe(started)}`)
      return session.finish({ server: json(started) })
    }
    case 'stop': {
      const stopped = await translateServerErrors(() => stopEmbedded(folder))
      const ofTests = await translateServerErrors(() => stopEmbedded(testServerFolder(workspace.root)))
      if (stopped || !ofTests) session.print(stopped ? 'stopped' : 'it was not running')
      if (ofTests) session.print('stopped the server for tests')
      return session.finish({ server: { running: false }, stopped, ...(ofTests && { testServerStopped: true }) })
    }
    case 'status': {
      const running = await translateServerErrors(() => findEmbedded(folder))
      session.print(running ? `running: ${describe(running)}` : 'not running; pnpm migrate server start starts it')
      return session.finish({ server: running ? json(running) : { running: false } })
    }
    case 'url': {
      const running = await start(session, folder)
      const url = serverUrl(running, databaseOf(workspace, name ?? session.options.database?.[0]))
      session.print(url)
      return session.finish({ server: json(running), url })
    }
    default:
      throw new DroverError({
        code: 'USAGE',
        message: `"${action}" is nothing that a server does`,
        hint: 'pnpm migrate server start, stop, status or url',
      })
  }
}

/** Where tests without a set-up keep the server that they share: see @drover/testing. */
function testServerFolder(root: string): string {
  return join(root, '.drover', 'test-server')
}

function start(session: Session, folder: string): Promise<RunningServer> {
  return translateServerErrors(() =>
    startEmbedded({ folder, onProgress: (event) => session.progress(describeStart(event)) }),
  )
}

function databaseOf(workspace: Workspace, name: string | undefined): string {
  return name === undefined ? 'postgres' : selectDatabases(workspace, [name])[0]!.config.database
}

function describe(running: RunningServer): string {
  return `PostgreSQL ${running.version} on ${running.host}:${running.port}, process ${running.pid}, data in ${running.folder}`
}

function json({ host, port, user, pid, version, folder }: RunningServer): Readonly<Record<string, unknown>> {
  return { running: true, host, port, user, pid, version, folder }
}
