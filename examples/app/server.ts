import { createServer } from 'node:http'

import { createClient, tenants } from '@databases/main'

// A service as small as one can be: it answers whether its database has what it needs, and goes when it is told to.
const client = createClient(process.env['DATABASE_URL'] ?? '')
const server = createServer((request, response) => {
  const answer = (status: number, text: string) => response.writeHead(status).end(`${text}\n`)
  if (request.url !== '/health') answer(404, 'not found')
  else
    client
      .$count(tenants)
      .then((count) => answer(200, `${count} tenants`))
      .catch((error: unknown) => {
        console.error('not healthy:', error)
        answer(503, 'the database does not answer')
      })
})

server.listen(Number(process.env['PORT'] ?? 8080), () => console.log(`listening, process ${process.pid}`))

// As process 1 of a container, a program ends at SIGTERM only if it says so.
process.once('SIGTERM', () => {
  console.log('SIGTERM: closing')
  server.close(() => void client.$client.end())
})
