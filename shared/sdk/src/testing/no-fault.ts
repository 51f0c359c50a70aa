import assert from "node:assert/strict";
import { HubError } from "@elara/contracts";

/** A refusal may be an error with a code, never one that blames the hub. */
export const noFault =
  (what: string) =>
  (error: unknown): undefined => {
    assert.ok(error instanceof HubError, `a PluginError, not ${error}, for ${what}`);
    assert.ok(error.status < 500, `${error.code} is no fault of the hub, for ${what}`);
  };
