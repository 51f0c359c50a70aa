import { createHash } from "node:crypto";
import { Type } from "@elara/sdk";
import type { Static } from "typebox";

/** Version of the handles this plugin writes. */
export const HANDLE_VERSION = 1;

/** What the hub stores: where the job is, and how to know that it is still the same one. */
export const handle = Type.Object({
  v: Type.Integer(),
  /** "" when only its records can tell of it. */
  jobId: Type.String(),
  /** As the scheduler lists owners. */
  owner: Type.String(),
  /** Account its commands run as. */
  account: Type.String({ minLength: 1 }),
  /** Seconds since the epoch by the scheduler; 0: not known. Job ids come back, this does not. */
  submittedAt: Type.Integer(),
  /** Binds the address to its tag: the handle of another server says nothing about this one. */
  seal: Type.String(),
});
export type Handle = Static<typeof handle>;

const sealOf = (tag: string, { jobId, owner, submittedAt }: Omit<Handle, "v" | "seal">): string =>
  createHash("sha256")
    .update(JSON.stringify([tag, jobId, owner, submittedAt]))
    .digest("hex")
    .slice(0, 16);

/** A handle of this server. */
export const newHandle = (tag: string, address: Omit<Handle, "v" | "seal">): Handle => ({
  v: HANDLE_VERSION,
  ...address,
  seal: sealOf(tag, address),
});

/** Whether the handle was made for this tag. */
export const belongs = (tag: string, given: Handle): boolean => given.seal === sealOf(tag, given);
