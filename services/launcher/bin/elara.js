#!/usr/bin/env node
// Plain JavaScript, so that an old Node can still say what is missing.
const major = Number(process.versions.node.split(".")[0]);
if (major < 24) {
  process.stderr.write(
    `elara: NODE_TOO_OLD: the hub runs on Node 24 or newer, this is ${process.version}.\n` +
      "  `npm install` brings Node 24 along: start with `npm start` or `npx elara …`.\n",
  );
  process.exit(1);
}
const { enableCompileCache } = await import("node:module");
enableCompileCache();
await import("../src/main.ts");
