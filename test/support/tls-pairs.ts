/**
 * Two TLS sockets that are connected to each other, with a certificate of their own.
 */
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, createServer, type TLSSocket } from 'node:tls'
import { afterwards } from './cleanup.js'
import { destroyed } from './socket-pairs.js'

interface Identity {
  readonly key: string
  readonly cert: string
}
let identity: Promise<Identity | undefined> | undefined

/** Whether there can be TLS: the certificate is made by openssl. */
export async function hasTls(): Promise<boolean> {
  return (await (identity ??= made())) !== undefined
}

/** A pair over loopback TCP; both are destroyed after the test. Only where `hasTls`. */
export async function tlsPair(): Promise<{ client: TLSSocket; server: TLSSocket }> {
  const known = await (identity ??= made())
  if (known === undefined) throw new Error('There is no openssl on this machine')
  const listener = createServer({ ...known, allowHalfOpen: true }).listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const { port } = listener.address() as { port: number }
  const client = connect({ port, host: '127.0.0.1', rejectUnauthorized: false })
  const [[server]] = (await Promise.all([
    once(listener, 'secureConnection'),
    once(client, 'secureConnect'),
  ])) as [[TLSSocket], unknown]
  listener.close()
  afterwards(async () => {
    await Promise.all([destroyed(client), destroyed(server)])
  })
  return { client, server }
}

async function made(): Promise<Identity | undefined> {
  const folder = await mkdtemp(join(tmpdir(), 'splicelist-test-'))
  const [keyPath, certPath] = [join(folder, 'key'), join(folder, 'cert')]
  const request = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256']
  const names = ['-nodes', '-subj', '/CN=localhost', '-days', '2']
  try {
    execFileSync('openssl', [...request, ...names, '-keyout', keyPath, '-out', certPath], {
      stdio: 'ignore',
    })
    return { key: await readFile(keyPath, 'utf8'), cert: await readFile(certPath, 'utf8') }
  } catch {
    return undefined
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
