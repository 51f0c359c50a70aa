import { createHmac } from "node:crypto";

/** Where each door of a hub says whose it is, whatever it answers otherwise. */
export const PROOF_PATH = "/_chp_healthz";
/** The question, 32 hex digits that nobody has asked before. */
export const QUESTION_HEADER = "x-elara-question";
/** The answer. */
export const PROOF_HEADER = "x-elara-proof";

/** What only who has the hub's key (`keys.derive("door")`) can answer; undefined for what is no question. */
export const proofFor = (key: Buffer, question: unknown): string | undefined =>
  typeof question === "string" && /^[0-9a-f]{32}$/.test(question)
    ? createHmac("sha256", key).update(question).digest("hex")
    : undefined;
