import { spawnerConformance } from "@elara/sdk/testing";
import plugin from "../src/index.ts";
import { given, skip } from "./fixtures/docker.ts";

const module = import.meta.resolve("../src/index.ts");
if (skip) spawnerConformance(plugin, { skip });
else
  spawnerConformance(plugin, {
    module,
    options: await given(),
    away: { options: await given({ engine: "unix:///nonexistent/docker.sock" }) },
  });
