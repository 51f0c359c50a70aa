import { spawnerConformance } from "@elara/sdk/testing";
import plugin from "../src/index.ts";
import { away, optionsFor, skip, theBed } from "./fixtures/bed.ts";

const module = import.meta.resolve("../src/index.ts");
spawnerConformance(plugin, skip ? { skip } : { module, away, options: optionsFor(await theBed()) });
