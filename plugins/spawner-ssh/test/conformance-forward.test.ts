import { spawnerConformance } from "@elara/sdk/testing";
import plugin from "../src/index.ts";
import { authorityOf, away, optionsFor, skip, theBed } from "./fixtures/bed.ts";

/** The other way to reach servers, with the other way to log in. */
const module = import.meta.resolve("../src/index.ts");
const options = async () =>
  optionsFor(await theBed(), { connect: "forward", ssh: authorityOf(await theBed()) });
spawnerConformance(plugin, skip ? { skip } : { module, away, options: await options() });
