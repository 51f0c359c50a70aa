export { SpawnConfig } from "./config.ts";
export { default } from "./define.ts";
export { type Pace, steadyPace } from "./pace.ts";
export { offerFaults } from "./profiles/offer-faults.ts";
export type { Offer } from "./profiles/offered-profile.ts";
export { profileRuleFaults, type Ruled } from "./profiles/plugin-rules.ts";
export type { ProfileEntry } from "./profiles/profile-entry.ts";
export { startSpawn } from "./service.ts";
