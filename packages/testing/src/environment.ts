import type { Environment } from '@drover/engine'

/** The environment of the process that tests: read here, and handed on. */
export function readEnvironment(): Environment {
  return process.env
}

/** What revisions that run code see of it. */
export function environmentForCode(): Environment {
  const { PATH, HOME } = process.env
  return { PATH, HOME }
}
