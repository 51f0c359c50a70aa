import { type Static, Type } from "typebox";

const closed = { additionalProperties: false } as const;

/** The section `telemetry`: where traces go. */
export const TelemetrySection = Type.Object(
  {
    endpoint: Type.String({
      default: "",
      pattern: "^(https?://[^/?#@]+(/[^?#]*)?)?$",
      description:
        "An OTLP receiver that speaks HTTP with protobuf, e.g. `http://collector:4318`, without name and password (`telemetry.headers` keeps those secret); traces go to `/v1/traces` behind it. Empty: as OTEL_EXPORTER_OTLP_ENDPOINT or OTEL_EXPORTER_OTLP_TRACES_ENDPOINT say; without them no telemetry, and nothing of it is loaded.",
    }),
    headers: Type.Array(
      Type.Object(
        {
          name: Type.String({ pattern: "^[A-Za-z0-9!#$%&'*+.^_`|~-]+$", description: "Name of the header." }),
          value: Type.String({ secret: true, description: "Its value, as `{ env }` or `{ file }`." }),
        },
        closed,
      ),
      {
        default: [],
        description: "Sent to the receiver with everything, beside those of OTEL_EXPORTER_OTLP_HEADERS.",
      },
    ),
    sampleRatio: Type.Optional(
      Type.Number({
        minimum: 0,
        maximum: 1,
        description:
          "Share of the traces that is kept. Absent: as OTEL_TRACES_SAMPLER and OTEL_TRACES_SAMPLER_ARG say, else all.",
      }),
    ),
    trustIncoming: Type.Boolean({
      default: false,
      description:
        "Join the trace that a client names in `traceparent`. `false`: a request from outside begins a trace of its own, with a link to the client's; else whoever reaches the hub could fill other traces and decide what is kept.",
    }),
  },
  { ...closed, description: "Traces, over OpenTelemetry." },
);
export type TelemetryConfig = Static<typeof TelemetrySection>;
