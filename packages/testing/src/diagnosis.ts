import { DroverError, type Problem, problemText } from '@drover/history'
import { ServerError } from '@drover/server'

/**
 * An error of Drover whose message says everything that the command line would: file, line and statement, what the server said,
 * and what to do. A test runner shows the message and nothing else. `problems` has the same as data.
 */
class DiagnosedError extends DroverError {
  constructor(error: DroverError) {
    super(error.problems, { cause: error.cause })
    this.name = 'DroverError'
    this.message = `\n${error.problems.map((problem) => problemText(named(problem))).join('\n')}`
  }
}

/** Who decides in a history does not know the name of its database. */
function named(problem: Problem): Problem {
  const { hint, database } = problem
  return hint === undefined || database === undefined
    ? problem
    : { ...problem, hint: hint.replaceAll('<database>', database) }
}

/** Does something, and has what goes wrong tell all that is known. */
export async function diagnosed<Result>(act: () => Promise<Result>): Promise<Result> {
  try {
    return await act()
  } catch (error) {
    if (error instanceof DiagnosedError) throw error
    if (error instanceof ServerError) throw new DiagnosedError(ofServer(error))
    throw error instanceof DroverError ? new DiagnosedError(error) : error
  }
}

function ofServer(error: ServerError): DroverError {
  return new DroverError({ code: 'SERVER_UNAVAILABLE', message: error.message, hint: error.hint }, { cause: error })
}
