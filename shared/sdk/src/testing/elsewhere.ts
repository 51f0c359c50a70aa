import { text } from "node:stream/consumers";
import { testHost } from "./host.ts";

// The second process of the suite: knows nothing but the plugin's file, its options and what the hub stored.
const { module, options, dataDir, server, request } = JSON.parse(await text(process.stdin));
const { default: plugin } = await import(module);
const host = testHost({ dataDir });
const spawner = await plugin.setup(options, host);
const call = { signal: AbortSignal.timeout(20_000), progress() {} };
const observation = await spawner.observe([server], call);
const located = await spawner.locate(request, call);
const again = await spawner.start(request, call);
await new Promise((done) => process.stdout.write(JSON.stringify({ observation, located, again }), done));
await host.close();
process.exit(0);
