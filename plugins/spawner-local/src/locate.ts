import { stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { bootId, livingTags, readState } from "@elara/sdk/launcher";
import { type Handle, handleOf } from "./handle.ts";
import { look } from "./observe.ts";

/**
 * The server of this tag that has not ended. A claim that was made this moment has no record yet: then it waits a
 * little, because the one who started it may be dead and nobody else would find it.
 */
export async function locate(runDir: string, tag: string, signal: AbortSignal): Promise<Handle | undefined> {
  if (!/^[a-z0-9]{8,64}$/.test(tag)) return undefined;
  const dir = join(runDir, tag);
  for (let attempt = 0; ; attempt += 1) {
    const state = await readState(dir);
    if (state) {
      const handle = handleOf(dir, state);
      const { row } = await look(tag, handle);
      return row.state === "ended" || row.state === "lost" ? undefined : handle;
    }
    const claimed = await stat(dir).catch(() => undefined);
    if (!claimed || attempt === 50)
      // Somebody may have removed the records of one that runs.
      return livingTags().has(tag) ? handleOf(dir, { bootId: bootId(), child: null }) : undefined;
    await pause(20, undefined, { signal });
  }
}
