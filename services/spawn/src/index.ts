export { SpawnConfig } from "./config.ts";
export { default } from "./define.ts";
export { type Pace, steadyPace } from "./pace.ts";
export { startSpawn } from "./service.ts";
