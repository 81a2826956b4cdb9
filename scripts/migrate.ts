import { join } from 'node:path'

import { main } from '@drover/cli'

await main(join(import.meta.dirname, '..', 'node_modules', '.cache', 'drover'))
