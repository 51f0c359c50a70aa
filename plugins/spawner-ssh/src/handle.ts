import { Type } from "@elara/sdk";
import type { Static } from "typebox";

/** Version of the handles this plugin writes. */
export const HANDLE_VERSION = 1;

/** What the hub stores. Identity is the tag: it names the folder below `dir`. */
export const handle = Type.Object({
  v: Type.Integer(),
  /** Name of the machine. It is asked at the address below, whatever the name means in the options by now. */
  host: Type.String({ minLength: 1 }),
  address: Type.String({ minLength: 1 }),
  port: Type.Integer(),
  account: Type.String({ minLength: 1 }),
  /** Folder of claims there. */
  dir: Type.String({ minLength: 1 }),
  /** How it is reached: it listens accordingly. */
  connect: Type.Union([Type.Literal("direct"), Type.Literal("forward")]),
  bootId: Type.String(),
  /** For people. */
  pid: Type.Integer(),
  serverPort: Type.Integer(),
});
export type Handle = Static<typeof handle>;
