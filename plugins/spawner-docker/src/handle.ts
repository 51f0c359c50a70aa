import { Type } from "@elara/sdk";
import type { Static } from "typebox";

/** Version of the handles this plugin writes. */
export const HANDLE_VERSION = 1;

/** What the hub stores: the container's id, by which it is found though it was renamed. Its name follows from the tag. */
export const handle = Type.Object({ v: Type.Integer(), container: Type.String() });
export type Handle = Static<typeof handle>;

export const handleOf = (container: string): Handle => ({ v: HANDLE_VERSION, container });
