import { spawnerConformance } from "@elara/sdk/testing";
import plugin from "../src/index.ts";

spawnerConformance(plugin, { module: import.meta.resolve("../src/index.ts") });
