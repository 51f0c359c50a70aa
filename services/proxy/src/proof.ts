import { PROOF_HEADER, PROOF_PATH, proofFor, QUESTION_HEADER } from "@elara/runtime/http/hub-proof";
import type { DoorHandler } from "./server.ts";

/** Proves to whoever asks (`elara check`) that this door is the hub's who has `key`, and changes nothing else. */
export const withProof = (handler: DoorHandler, key: Buffer): DoorHandler => ({
  ...handler,
  request(request, response) {
    const proof = request.url === PROOF_PATH && proofFor(key, request.headers[QUESTION_HEADER]);
    if (proof) response.setHeader(PROOF_HEADER, proof);
    handler.request(request, response);
  },
});
