/**
 * What is known of kinds of file systems, by the magic numbers that `fstatfs` tells (linux/magic.h).
 */

/** Without reflinks: ext2 to ext4, tmpfs, ramfs. */
const COPYING: ReadonlySet<number> = new Set([0xef53, 0x01021994, 0x858458f6])

/**
 * Whose files the kernel makes up when they are read. The size that they state is none, or the most
 * that a read gives (a page, in sysfs): only their end tells.
 */
const MADE_UP: ReadonlySet<number> = new Set([
  0x62656572, // sysfs
  0x00009fa0, // proc
  0x64626720, // debugfs
  0x74726163, // tracefs
  0x0027e0eb, // cgroup
  0x63677270, // cgroup2
  0x62656570, // configfs
  0x73636673, // securityfs
  0xf97cff8c, // selinuxfs
  0x43415d53, // smackfs
  0x42494e4d, // binfmt_misc
  0x65735543, // fusectl
  0x07655821, // resctrl
])

/** Whether a copy of a range within it copies bytes for certain: it cannot share extents. */
export function copiesRanges(magic: number): boolean {
  return COPYING.has(magic)
}

/** Whether the sizes that its files state say where they end. */
export function statesSizes(magic: number): boolean {
  return !MADE_UP.has(magic)
}
