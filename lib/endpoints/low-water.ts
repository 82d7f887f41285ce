/** What a wait for bytes of a TCP socket is woken for: `SO_RCVLOWAT`. */

/** Below this a low-water mark saves no wake-up that is worth two system calls, in bytes. */
const LOW_WATER_BYTES_MIN = 65536
/** Above this the kernel could not keep its promise with a default receive buffer, in bytes. */
export const LOW_WATER_BYTES_MAX = 1 << 20

/** The mark for a wait where so many bytes are missing. */
export function lowWaterFor(wantedBytes: number): number {
  return wantedBytes < LOW_WATER_BYTES_MIN ? 1 : Math.min(wantedBytes, LOW_WATER_BYTES_MAX)
}
