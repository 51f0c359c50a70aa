export {
  DeskCall,
  type DeskOrder,
  type DeskTarget,
  type DeskWish,
  deskAnswers,
  deskCommand,
  type JobOrder,
  JobRecords,
} from "./desk.ts";
export {
  LaunchRefusal,
  LogAnswer,
  type LogOrder,
  LookAnswer,
  type LookOrder,
  readAnswer,
  SeenServer,
} from "./look.ts";
export { bootId, isAlive, livingTags, startOf } from "./process.ts";
export { launcherProgram, PYTHON_TOO_OLD, remoteLauncher } from "./program.ts";
export { logLines, plain, readLog } from "./record-file.ts";
export { LaunchExit, LaunchState, ProcessIdentity, readExit, readState } from "./records.ts";
export { rowOf, type Wording } from "./row.ts";
export {
  LaunchAnswer,
  type LaunchOrder,
  launcherArgv,
  launcherPath,
  parseAnswer,
  runLauncher,
  type StartOrder,
} from "./run.ts";
