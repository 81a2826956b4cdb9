import type { ObjectChange } from './objects/objects.ts'

/** No change of declared objects. */
export const noObjectChange: ObjectChange = { before: [], early: [], late: [], gaps: [] }

/** Whether declared objects are as they were. */
export function isNothing({ before, early, late, gaps }: ObjectChange): boolean {
  return before.length + early.length + late.length + gaps.length === 0
}
