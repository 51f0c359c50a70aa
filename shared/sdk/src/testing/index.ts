export { authenticatorConformance } from "./authenticator.ts";
export type {
  AuthenticatorCase,
  FormCase,
  LoginInput,
  RedirectCase,
  RedirectStart,
} from "./authenticator-bench.ts";
export { checkCall } from "./check-call.ts";
export { type CommandLines, type CommandLineWatch, watchCommandLines } from "./command-lines.ts";
export { type LogLine, type TestHost, testHost } from "./host.ts";
export { spawnerConformance } from "./spawner.ts";
export { type Away, newTag, SpawnerBench, type SpawnerCase } from "./spawner-bench.ts";
export { standInCommand, standInPath } from "./stand-in-command.ts";
