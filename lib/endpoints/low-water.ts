/** What a wait for bytes of a TCP socket is woken for: `SO_RCVLOWAT`. */

/**
 * Below this a low-water mark saves no wake-up that is worth two system calls, in bytes. From a peer that
 * sends 4 KiB at a time over loopback TCP pulls of 16, 32, 64 and 256 KiB took 1.0, 0.8, 0.7 and 0.4 of the
 * CPU with a mark; from one that sends 16 KiB at a time 1.1, 1.1, 1.15 and 0.9.
 */
const LOW_WATER_BYTES_MIN = 65536
/**
 * Above this the kernel could not keep its promise with a default receive buffer, in bytes: it takes a
 * mark of half of what `tcp_rmem` lets the buffer grow to, which is 6 MiB by default and may be less.
 */
export const LOW_WATER_BYTES_MAX = 1 << 20

/** The mark for a wait where so many bytes are missing. */
export function lowWaterFor(wantedBytes: number): number {
  return wantedBytes < LOW_WATER_BYTES_MIN ? 1 : Math.min(wantedBytes, LOW_WATER_BYTES_MAX)
}
