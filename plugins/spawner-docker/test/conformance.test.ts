import { spawnerConformance } from "@elara/sdk/testing";
import plugin from "../src/index.ts";
import { given, skip } from "./fixtures/docker.ts";

const module = import.meta.resolve("../src/index.ts");
spawnerConformance(plugin, skip ? { skip } : { module, options: await given() });
