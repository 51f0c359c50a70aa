import { type Static, Type } from "typebox";
import { joinParts, sentProgram } from "./program.ts";
import { LaunchExit, LaunchState } from "./records.ts";
import type { StartOrder } from "./run.ts";

/** What every order to the desk says. */
export interface DeskTarget {
  /** Folder of claims as the account sees it; `~/…` is in its home. Must be there on the nodes, too. */
  readonly runDir: string;
  /** Accounts with a lower uid are refused. */
  readonly minUid: number;
  /** Seconds after which it gives up. */
  readonly seconds: number;
  /** Seconds one command of the batch system may take. */
  readonly commandSeconds: number;
  /** Environment of those commands beside PATH, HOME and the like. No secrets. */
  readonly environment: Readonly<Record<string, string>>;
}

/** What the job starts: as on any machine, with the folder taken from where it runs. */
export type JobOrder = Omit<StartOrder, "action" | "runDir">;

/** What can be asked of the program at a batch system, as the account of the user. */
export type DeskWish =
  | {
      readonly action: "submit";
      readonly tag: string;
      /** Prints a line for each living job of this name and account. */
      readonly find: readonly string[];
      readonly submit: readonly string[];
      /** Given to `submit` on stdin; runs `launch.py < launch.json` in its working folder. */
      readonly script: string;
      /** Variable in the job's environment that holds its id. */
      readonly jobIdVariable: string;
      readonly order: JobOrder;
    }
  | {
      readonly action: "cancel";
      readonly tag: string;
      /** Ends jobs of this name and account. */
      readonly cancel: readonly string[];
      readonly graceSeconds: number;
    }
  | { readonly action: "records"; readonly tags: readonly string[] }
  | { readonly action: "tail"; readonly tag: string; readonly lines: number }
  | { readonly action: "forget"; readonly tag: string }
  | { readonly action: "probe"; readonly call: readonly string[] };

/** The same with where and within what bounds. */
type DeskOrder = DeskTarget & DeskWish;

const nullable = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) =>
  Type.Union([schema, Type.Null()]);

/** How a command of the batch system ended. */
export const DeskCall = Type.Object({
  exitCode: Type.Integer(),
  stdout: Type.String(),
  stderr: Type.String(),
});
export type DeskCall = Static<typeof DeskCall>;

/** Records of one server. `state` of a job names the node and the job it runs in. */
export const JobRecords = Type.Object({
  claim: nullable(Type.Object({ jobId: Type.String() })),
  state: nullable(LaunchState),
  exit: nullable(LaunchExit),
});
export type JobRecords = Static<typeof JobRecords>;

const ok = Type.Literal(true);

/** What the program answers to each order; `ok: false` with a code when it could not. */
export const deskAnswers = {
  submit: Type.Object({
    ok,
    uid: Type.Integer(),
    /** Living jobs of this name: those found, or what was submitted. */
    find: DeskCall,
    /** Absent: not submitted, one was found. Null: it ran and is over, and nothing is known of its submit. */
    submit: Type.Optional(nullable(DeskCall)),
    /** True: what was submitted before has run and is over. */
    over: Type.Optional(Type.Boolean()),
  }),
  cancel: Type.Object({ ok, cancel: DeskCall }),
  records: Type.Object({ ok, records: Type.Record(Type.String(), JobRecords) }),
  tail: Type.Object({ ok, lines: Type.Array(Type.String()) }),
  forget: Type.Object({ ok }),
  probe: Type.Object({
    ok,
    uid: Type.Integer(),
    version: Type.Array(Type.Integer()),
    call: DeskCall,
  }),
} as const;

/** Argv and stdin that carry out an order. The program keeps its own text for the job. */
export const deskCommand = sentProgram<DeskOrder>(() =>
  joinParts(["processes.py", "records.py", "ports.py", "server.py", "job.py", "desk.py"]),
);
