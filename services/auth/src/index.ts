export { default } from "./auth-service.ts";
export { countKept, type KeptCount } from "./kept/count-kept.ts";
