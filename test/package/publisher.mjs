/**
 * A package registry on loopback that accepts what is published and keeps it: to see what a release
 * would say of itself, which is not all in the tarball.
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import { json } from 'node:stream/consumers'

export class Publisher {
  #server = createServer(async (request, response) => {
    if (request.method === 'PUT') this.published = await json(request)
    const status = request.method === 'PUT' ? 201 : 404
    response.writeHead(status, { 'content-type': 'application/json' }).end('{}')
  })
  /** What was published last: the package document, as npm has sent it. */
  published

  /** Starts it. Returns its address. */
  async listen() {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return `127.0.0.1:${this.#server.address().port}`
  }
  close() {
    this.#server.close()
  }
}
