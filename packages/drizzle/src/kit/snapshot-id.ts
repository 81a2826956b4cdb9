import { idLength } from '@drover/history'
import * as v from 'valibot'

/** The id of the revision that a `snapshot.json` belongs to: the first 12 hex digits of its own. */
export function idOfSnapshot(text: string): string {
  const { id } = v.parse(v.object({ id: v.string() }), JSON.parse(text))
  return id.replaceAll('-', '').slice(0, idLength)
}
