/** How TCP sends what a socket is given: in packets, and perhaps no sooner than it likes. */
import { opened } from '../reactor.js'
import type { DirectPlace } from './direct.js'

/**
 * Packets that a paced socket is given at once, where others can have their turn meanwhile. Each one
 * that comes too early waits for a timer, which is set and fires for it alone. TCP to 8 TCP sockets with
 * BBR, 1 GiB: bursts of one packet took 0.84 s/GB, of two 0.79, of three 0.88, of all 2.0; and of two
 * packets with a few bytes more than two, more than of all.
 */
const BURST_PACKETS = 2
/** So many bytes are hardly more than two packets of a connection that is not young: nothing is asked. */
const BURST_BYTES_MIN = BURST_PACKETS * 65536

/**
 * The most bytes that one packet of a place takes; 0 where it sends none. To be asked anew: it grows while
 * a connection is young. One system call.
 */
export function packetBytesOf({ kind, descriptor }: DirectPlace): number {
  return kind === 'socket' ? Math.max(0, opened().packetBytes(descriptor)) : 0
}

/** Whether a place spaces its packets by timers of its own: by its congestion control. One system call. */
export function isPaced({ kind, descriptor }: DirectPlace): boolean {
  return kind === 'socket' && opened().isPaced(descriptor)
}

/**
 * Of so many bytes, the most that one call gives a place: two packets, where it spaces them. What comes
 * beyond them waits for timers, and has BBR believe that this is all the path can do: it paces the
 * connection from then on, for good. 1 GiB with BBR: TCP to TCP took 0.93 of the CPU by bursts, with 1.06
 * of the throughput, and a file to TCP (a loop in C) 0.86, with 1.16. Two system calls for a paced place,
 * one for another socket.
 */
export function burstBytesOf(place: DirectPlace, lengthBytes: number): number {
  if (lengthBytes <= BURST_BYTES_MIN || !isPaced(place)) return lengthBytes
  const packetBytes = packetBytesOf(place)
  return packetBytes > 0 ? Math.min(BURST_PACKETS * packetBytes, lengthBytes) : lengthBytes
}

/** As many bytes, at the most, that leave no small packet behind. */
export function inWholePackets(lengthBytes: number, packetBytes: number): number {
  const isOne = packetBytes > 0 && packetBytes <= lengthBytes
  return isOne ? lengthBytes - (lengthBytes % packetBytes) : lengthBytes
}
