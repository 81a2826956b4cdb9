import { writeFileSync } from 'node:fs'
import { registerHooks } from 'node:module'

// Imported into a process before its program (`node --import`): writes down the URLs of all modules that it loads.
const file = process.env['DROVER_MODULES_FILE']
if (file === undefined) throw new Error('DROVER_MODULES_FILE names no file')

const urls: string[] = []
registerHooks({
  load: (url, context, nextLoad) => {
    urls.push(url)
    return nextLoad(url, context)
  },
})
process.on('exit', () => writeFileSync(file, JSON.stringify(urls)))
