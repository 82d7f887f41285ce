// Moves a file through a list into another file, and checks that the library copied none of it.
const { deepEqual, equal } = require('node:assert/strict')
const { randomBytes } = require('node:crypto')
const { mkdtemp, open, readFile, rm, writeFile } = require('node:fs/promises')
const { tmpdir } = require('node:os')
const { join } = require('node:path')

module.exports = async function move({ BufferList, counters }) {
  const folder = await mkdtemp(join(tmpdir(), 'splicelist-project-'))
  const path = (name) => join(folder, name)
  const original = randomBytes(3_000_001)
  await writeFile(path('source'), original)
  const source = await open(path('source'))
  const target = await open(path('target'), 'w')

  const list = new BufferList()
  const pulled = await list.spliceFrom(source, original.length, {
    hold: 'pages',
    mode: 'reference',
  })
  equal(pulled, original.length)
  deepEqual([...new Set(list.explain().map(({ kind }) => kind))], ['pipe'])
  await list.spliceTo(target, { mode: 'reference' })
  list.release()

  await source.close()
  await target.close()
  equal(Buffer.compare(await readFile(path('target')), original), 0)
  await rm(folder, { recursive: true })
  deepEqual(counters.snapshot().copied, {})
  console.log('moved by reference')
}
