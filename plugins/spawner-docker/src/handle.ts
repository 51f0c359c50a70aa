import { Type } from "@elara/sdk";
import type { Static } from "typebox";

/** Version of the handles this plugin writes. */
export const HANDLE_VERSION = 1;

/** What the hub stores. Containers are found by their name, which follows from the tag; the id is for people. */
export const handle = Type.Object({ v: Type.Integer(), container: Type.String() });
export type Handle = Static<typeof handle>;

export const handleOf = (container: string): Handle => ({ v: HANDLE_VERSION, container });
