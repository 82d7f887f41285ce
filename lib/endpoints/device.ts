import fs from 'node:fs'
import { UnsupportedEndpointError } from '../errors.js'

/** What a descriptor is, as far as it decides how bytes are moved. */
export type Kind = 'file' | 'device' | 'pipe' | 'other'

/** A device that behaves like a file without an end: always ready, never waiting for anybody. */
export interface Device {
  readonly name: string
  readonly takesBytes: boolean
}

/** Linux's major number of the memory devices; `/dev` has them on every Linux. */
const MEMORY_MAJOR = 1
/** The memory devices that transfers know, by their minor number. */
const MEMORY_DEVICES: ReadonlyMap<number, Device> = new Map([
  [3, { name: '/dev/null', takesBytes: true }],
  [5, { name: '/dev/zero', takesBytes: true }],
  [7, { name: '/dev/full', takesBytes: true }],
  [8, { name: '/dev/random', takesBytes: false }],
  [9, { name: '/dev/urandom', takesBytes: false }],
])

/** What an open descriptor is. Throws Node's own error where it is none. */
export function kindOf(fd: number): { readonly kind: Kind; readonly device: Device | undefined } {
  const stat = fs.fstatSync(fd)
  if (stat.isCharacterDevice()) return { kind: 'device', device: memoryDevice(stat.rdev) }
  if (stat.isFIFO()) return { kind: 'pipe', device: undefined }
  const isFile = stat.isFile() || stat.isDirectory() || stat.isBlockDevice()
  return { kind: isFile ? 'file' : 'other', device: undefined }
}

/** The device, where it can be used as one side of a transfer; throws a typed error where not. */
export function usableDevice(device: Device | undefined, isSink: boolean): Device {
  if (device === undefined) {
    throw new UnsupportedEndpointError(
      'This is a terminal or another device that may wait for somebody, and would hold a thread ' +
        'meanwhile',
      'Pass a Node stream on it (process.stdin, new tty.ReadStream(fd)): its bytes will be copied',
    )
  }
  if (!isSink || device.takesBytes) return device
  throw new UnsupportedEndpointError(
    `${device.name} is read from here, not written to`,
    'Write to it with node:fs',
  )
}

/** The bits of a device's number, as glibc has them: `gnu_dev_major` and `gnu_dev_minor`. */
function memoryDevice(rdev: number): Device | undefined {
  const major = (rdev >>> 8) & 0xfff
  const minor = rdev & 0xff
  return major === MEMORY_MAJOR ? MEMORY_DEVICES.get(minor) : undefined
}
