import type { Doomed } from '@drover/orchestrator'

import type { Style } from './style.ts'
import { count } from './text.ts'

/** What is lost with a database, in a line. */
export function doomedLine({ located, contents }: Doomed, style: Style): string {
  const title = `${style.strong(located.database.name)}: ${located.url.place}`
  if (!contents) return `${title} is not there, and is made`
  const { tables, rows, bytes } = contents
  const what = `${count(tables, 'table')}, about ${count(rows, 'row')}, ${sizeText(bytes)}`
  return `${title} ${style.bad('is dropped')}, with all that is in it (${what}), and built again`
}

/** A size as people read it. */
function sizeText(bytes: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB']
  let [value, unit] = [bytes, 0]
  while (value >= 1000 && unit < units.length - 1) [value, unit] = [value / 1000, unit + 1]
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`
}
