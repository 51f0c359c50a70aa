import { spawnerConformance } from "@elara/sdk/testing";
import plugin from "../src/index.ts";
import { recordsAway } from "./fixtures/folders.ts";

spawnerConformance(plugin, { module: import.meta.resolve("../src/index.ts"), away: recordsAway });
