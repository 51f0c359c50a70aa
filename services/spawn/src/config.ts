import { type Static, Type } from "typebox";
import { ProfileEntry } from "./profiles/profile-entry.ts";

const seconds = (byDefault: number, description: string) =>
  Type.Number({ default: byDefault, minimum: 0.1, maximum: 86_400, description });

/** The section `spawn` of the configuration. */
export const SpawnConfig = Type.Object(
  {
    command: Type.Array(Type.String({ minLength: 1 }), {
      default: ["jupyterhub-singleuser"],
      minItems: 1,
      description: "Program that is a user's server, with its first arguments.",
    }),
    args: Type.Array(Type.String(), { default: [], description: "More arguments for the command." }),
    environment: Type.Record(Type.String(), Type.String(), {
      default: {},
      description: "Environment of every server; wins over everything the hub sets.",
    }),
    defaultUrl: Type.String({
      default: "/lab",
      description: "Page a server opens with; empty: its own choice.",
    }),
    profiles: Type.Array(ProfileEntry, {
      default: [],
      description:
        "What users choose from when they start a server, in the order of the form; the first one a user is offered is the default. Empty: one for each spawner, offered to everybody.",
    }),
    unknownOptions: Type.Union([Type.Literal("refuse"), Type.Literal("keep")], {
      default: "refuse",
      description:
        "What becomes of options of a start that its spawner does not have. `refuse`: the start is refused, by the option's name. `keep`, for clients that send what another hub understood: they are stored and shown in `user_options`, the spawner never gets them; so is a `profile` where none are configured. Wrong values of options it has are refused either way.",
    }),
    submitSeconds: seconds(
      30,
      "How long a spawner may take to accept a start; each step it tells winds the clock up again.",
    ),
    bootSeconds: seconds(60, "How long until process and address are seen, once it is not queued."),
    httpSeconds: seconds(30, "How long until the address answers over HTTP."),
    stopSeconds: seconds(60, "How long a stop may take before it is repeated and told as a fault."),
    graceSeconds: seconds(10, "Time a server gets to end by itself before it is killed."),
    concurrentLimit: Type.Integer({
      default: 100,
      minimum: 0,
      description: "Starts under way at one time (queued ones not counted); 0: no limit.",
    }),
    activeLimit: Type.Integer({
      default: 0,
      minimum: 0,
      description: "Servers running or starting at one time; 0: no limit.",
    }),
    namedServerLimit: Type.Integer({
      default: 0,
      minimum: 0,
      description: "Named servers a user may have; 0: no limit.",
    }),
    logDays: Type.Number({
      default: 14,
      minimum: 0.01,
      description: "Days the steps and last lines of an attempt are kept.",
    }),
    activityDays: Type.Number({
      default: 90,
      minimum: 1,
      description: "Days the last times of a token or server that is not used any more are kept.",
    }),
  },
  { additionalProperties: false, description: "Starting, watching and stopping servers." },
);
export type SpawnConfig = Static<typeof SpawnConfig>;
