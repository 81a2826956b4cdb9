import { type Arrival, type Delay, waitForServers } from '@drover/orchestrator'

import type { ExitCode } from '../exit-code.ts'
import { type PatienceOptions, readPatience } from '../patience.ts'
import { arrivalJson, arrivalLines, arrivalProblems, delayLine } from '../render/arrival.ts'
import type { CommonOptions, Session } from '../session.ts'

interface WaitOptions extends CommonOptions, PatienceOptions {}

/** Waits until the servers of all databases answer. Changes nothing. */
export async function wait(session: Session, options: WaitOptions): Promise<ExitCode> {
  const { workspace, selected } = await session.workspace({ external: true })
  const patience = readPatience(options, session.environment(workspace))
  // Nothing has to be brought to an end: the first signal ends it.
  const stopListening = session.io.onSignal((signal) => {
    const hint = 'nothing was changed; run the same command again'
    const message = 'interrupted while waiting for servers'
    session.finish({ databases: [] }, [{ code: 'INTERRUPTED', message, hint }], signal === 'SIGINT' ? 130 : 143)
    return 'end'
  })
  try {
    const located = await session.locate(workspace, selected)
    const told = new Map<string, string>()
    const arrivals = await waitForServers(located, patience, (delay) => {
      if (isNews(delay, told)) session.progress(delayLine(delay, patience), delay.database.name)
    })
    return tell(session, arrivals)
  } finally {
    stopListening()
  }
}

/** Whether a delay is worth a line: the first one, one for another reason, and each tenth to say that it still waits. */
function isNews({ database, tries, problem }: Delay, told: Map<string, string>): boolean {
  const isOld = told.get(database.name) === problem.message
  told.set(database.name, problem.message)
  return !isOld || tries % 10 === 0
}

function tell(session: Session, arrivals: readonly Arrival[]): ExitCode {
  session.print(...arrivalLines(arrivals, session.out))
  return session.finish({ databases: arrivals.map(arrivalJson) }, arrivalProblems(arrivals))
}
