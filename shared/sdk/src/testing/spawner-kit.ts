import type { TestContext } from "node:test";
import type { TObject } from "typebox";
import type { SpawnerPlugin } from "../spawner.ts";
import type { SpawnerBench, SpawnerCase } from "./spawner-bench.ts";

/** What the checks of the suite work with. */
export interface SpawnerKit<O extends TObject, H extends TObject> {
  readonly plugin: SpawnerPlugin<O, H>;
  readonly given: SpawnerCase;
  /** Why a check that needs the stand-in is left out; false when it is not. */
  readonly ownCommand: string | false;
  bench(t: TestContext): SpawnerBench<O, H>;
}
