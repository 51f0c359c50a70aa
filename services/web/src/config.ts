import { type Static, Type } from "typebox";

/** Web's section of the configuration. */
export const WebConfig = Type.Object(
  {
    slowSpawnSeconds: Type.Number({
      default: 10,
      minimum: 0,
      description: "How long a start over the API may take before it is answered with 202 instead of 201.",
    }),
    slowStopSeconds: Type.Number({
      default: 10,
      minimum: 0,
      description: "How long a stop over the API may take before it is answered with 202 instead of 204.",
    }),
    apiPageDefaultLimit: Type.Integer({
      default: 50,
      minimum: 1,
      description: "Items of a list for clients that understand pages.",
    }),
    apiPageMaxLimit: Type.Integer({
      default: 200,
      minimum: 1,
      description: "Items of a list at most; also the default for clients that do not understand pages.",
    }),
    authenticatePrometheus: Type.Boolean({
      default: true,
      description:
        "`/hub/metrics` is for tokens with the scope `read:metrics`. `false`: for everybody who reaches the hub.",
    }),
    eventStreams: Type.Integer({
      default: 500,
      minimum: 1,
      description: "Subscribers of events (`GET /hub/api/events`) that one process of web serves at a time.",
    }),
    eventStreamsPerOwner: Type.Integer({
      default: 10,
      minimum: 1,
      description: "Of them, of one user or service, with whatever tokens.",
    }),
    redirectToServer: Type.Boolean({
      default: true,
      description: "After log-in, send users to their server; otherwise to the hub's home page.",
    }),
  },
  { additionalProperties: false, description: "The REST API and the pages." },
);
export type WebConfig = Static<typeof WebConfig>;
