/** Longest brief or message, bytes of UTF-8: 100 KB. */
export const briefBytes = 102_400;
/** All attachments of a call together, bytes: 50 MB. */
export const attachmentBytes = 52_428_800;
export const attachmentCount = 100;
/** Any other JSON body, bytes: room for a brief in which every character is escaped. */
export const bodyBytes = 1_048_576;
/** A JSON body that brings attachments: base64 takes four bytes for three. */
export const submissionBytes = Math.ceil(attachmentBytes / 3) * 4 + bodyBytes;
