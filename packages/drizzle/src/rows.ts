export { generateRows } from './rows/generate-rows.ts'
export { type Contents, readContents, type TableContents } from './rows/read-contents.ts'
