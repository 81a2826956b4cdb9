import { readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'

import { DroverError } from '@drover/history'
import { decodePlanFile, encodePlanFile, type PlanFile } from '@drover/orchestrator'

import type { Session } from './session.ts'

/** A plan with the path that was typed for it. */
export interface NamedPlan {
  readonly path: string
  readonly plan: PlanFile
}

/**
 * Reads a plan from a path as it was typed.
 * @throws {DroverError} `PLAN_INVALID`
 */
export function readPlanFile(session: Session, path: string): NamedPlan {
  return { path, plan: decodePlanFile(readText(session, path), path) }
}

/**
 * Writes a plan to a path as it was typed.
 * @throws {DroverError} `WRITE_FAILED`
 */
export function writePlanFile(session: Session, path: string, plan: PlanFile): void {
  try {
    writeFileSync(resolve(session.io.cwd, path), encodePlanFile(plan))
  } catch (error) {
    const message = `${path} cannot be written${reasonOf(error)}`
    throw new DroverError({ code: 'WRITE_FAILED', message, hint: 'choose another place with --out' }, { cause: error })
  }
}

function readText(session: Session, path: string): string {
  try {
    return readFileSync(resolve(session.io.cwd, path), 'utf8')
  } catch (error) {
    const message = `${path} cannot be read${reasonOf(error)}`
    const hint = `correct the path, or make a plan: pnpm migrate plan --out ${path}`
    throw new DroverError({ code: 'PLAN_INVALID', message, hint }, { cause: error })
  }
}

/** What the system calls it, without the path that it would add. */
function reasonOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? ` (${String(error.code)})` : ''
}
