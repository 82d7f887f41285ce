/** The receiver's last word: how many messages the target file has accepted. */
import { KIND, decodeFrame, encodeFrame } from './frame.js'

export function encodeAcknowledgement(messages: number, fileBytes: number): Buffer {
  return encodeFrame({
    kind: KIND.acknowledgement,
    sequence: messages,
    lengthBytes: 0,
    offsetBytes: fileBytes,
  })
}

/** Throws unless the receiver has everything: a transfer that nobody confirmed did not happen. */
export function checkAcknowledgement(bytes: Buffer, messages: number, fileBytes: number): void {
  const frame = decodeFrame(bytes)
  const isWhole =
    frame.kind === KIND.acknowledgement &&
    frame.sequence === messages &&
    frame.offsetBytes === fileBytes
  if (!isWhole) {
    throw new Error(`the receiver has ${frame.sequence} of ${messages} messages`)
  }
}
