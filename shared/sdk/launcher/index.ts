export { attender } from "./attend.ts";
export { codesOf } from "./codes.ts";
export {
  DeskCall,
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
} from "./look.ts";
export { bootId, isAlive, livingTags, startOf } from "./process.ts";
export { PYTHON_TOO_OLD, remoteLauncher } from "./program.ts";
export { logLines, plain, readLog } from "./record-file.ts";
export { LaunchExit, LaunchState, readExit, readState } from "./records.ts";
export { endedRow, rowOf, type Wording } from "./row.ts";
export {
  LaunchAnswer,
  type LaunchOrder,
  runLauncher,
  type Wish,
} from "./run.ts";
export { type Launch, startOrTakeBack } from "./start.ts";
