import { type Static, Type } from "typebox";

const limit = (what: string) =>
  Type.Optional(Type.Integer({ minimum: 0, description: `In place of \`culler.${what}\`; 0: never.` }));

/** Limits of the servers of one spawner, or of one profile. */
const Limits = Type.Object(
  { idleSeconds: limit("idleSeconds"), maxAgeSeconds: limit("maxAgeSeconds") },
  { additionalProperties: false },
);

/** The culler's section of the configuration. */
export const CullerConfig = Type.Object(
  {
    enabled: Type.Boolean({ default: true, description: "Whether idle or too old servers are looked for." }),
    idleSeconds: Type.Integer({
      default: 0,
      minimum: 0,
      description: "Stop a server after this long without use and without computing kernels; 0: never.",
    }),
    maxAgeSeconds: Type.Integer({
      default: 0,
      minimum: 0,
      description: "Stop a server this long after it was ready, used or not; 0: never.",
    }),
    perSpawner: Type.Record(Type.String(), Limits, {
      default: {},
      description:
        "Limits of servers of a spawner, by its name: `{ batch: { idleSeconds: 1800, maxAgeSeconds: 0 } }`. What is not said there is as above.",
    }),
    perProfile: Type.Record(Type.String(), Limits, {
      default: {},
      description: "Limits of servers of a profile, by its slug; they go before those of its spawner.",
    }),
    everySeconds: Type.Integer({ default: 60, minimum: 1, description: "How often servers are looked at." }),
    warnSeconds: Type.Integer({
      default: 60,
      minimum: 0,
      description: "Time between the event `server.culling` and the stop; use in between keeps the server.",
    }),
    askServers: Type.Boolean({
      default: true,
      description:
        "Before an idle server is stopped, ask it whether a kernel computes. A kernel that computes without output is seen by nobody else.",
    }),
    concurrency: Type.Integer({
      default: 10,
      minimum: 1,
      description: "How many servers are asked at the same time.",
    }),
  },
  { additionalProperties: false, description: "When servers are ended without being asked to." },
);
export type CullerConfig = Static<typeof CullerConfig>;
