import { Type } from "typebox";
import { notice } from "./contract.ts";

export const MetricsWanted = notice(
  "metrics.wanted",
  "A web replica is scraped: every process tells what it counted.",
  Type.Object({ scrape: Type.String() }),
);
export const MetricsCounted = notice(
  "metrics.counted",
  "What one process counted since it started; answers `metrics.wanted`.",
  Type.Object({
    scrape: Type.String(),
    /** Rows of the process in `instances`. */
    instances: Type.Array(Type.String()),
    /** JSON of its metrics, gzip, base64. */
    metrics: Type.String(),
  }),
);
