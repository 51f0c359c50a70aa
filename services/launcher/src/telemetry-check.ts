import { HubError } from "@elara/contracts";
import { type TelemetryConfig, TelemetrySection } from "@elara/runtime/config/telemetry";
import { resolved, type Settings } from "./settings.ts";
import { isOn, refuseOtherProtocols, sampleRatioOf, tracesUrl } from "./telemetry.ts";

const TRY_MS = 3000;

/** Sends the receiver an empty export. Throws CONFIG_INVALID with what it said, or what is wrong with the settings. */
export async function reachTelemetry(settings: Settings): Promise<string> {
  const { env } = process;
  const config: TelemetryConfig = resolved(settings, "telemetry", TelemetrySection);
  if (!isOn(config, env)) return "off";
  refuseOtherProtocols(env);
  const ratio = config.sampleRatio ?? sampleRatioOf(env);
  const url = tracesUrl(config, env);
  const headers = { ...environmentHeaders(env), ...headersOf(config) };
  const answer = await fetch(url, {
    method: "POST",
    headers: { ...headers, "content-type": "application/x-protobuf" },
    body: new Uint8Array(),
    signal: AbortSignal.timeout(TRY_MS),
  }).catch((cause: unknown) => {
    throw fault(`${url} does not answer. Is that the OTLP receiver for HTTP (port 4318)?`, cause);
  });
  if (answer.status === 401 || answer.status === 403)
    throw fault(`${url} answers ${answer.status}: check telemetry.headers.`);
  if (!answer.ok) throw fault(`${url} answers ${answer.status} to an OTLP export; name an OTLP receiver.`);
  return `${url}, ${Math.round(ratio * 100)} % of the traces`;
}

const headersOf = ({ headers }: TelemetryConfig): Record<string, string> =>
  Object.fromEntries(headers.map(({ name, value }) => [name, value]));

/** Headers of OpenTelemetry's environment: `key=value,key=value`, percent-encoded. Throws CONFIG_INVALID. */
export function environmentHeaders(env: NodeJS.ProcessEnv): Record<string, string> {
  const field = env.OTEL_EXPORTER_OTLP_TRACES_HEADERS
    ? "OTEL_EXPORTER_OTLP_TRACES_HEADERS"
    : "OTEL_EXPORTER_OTLP_HEADERS";
  const text = env[field] ?? "";
  const pairs = text.split(",").filter((pair) => pair.includes("="));
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf("=");
      const name = pair.slice(0, at).trim();
      try {
        return [name, decodeURIComponent(pair.slice(at + 1).trim())];
      } catch {
        // Not the value: it may be a secret.
        throw new HubError("CONFIG_INVALID", {
          operator: `${field}: the value of ${name} is not percent-encoded; write a \`%\` as \`%25\`.`,
        });
      }
    }),
  );
}

const fault = (operator: string, cause?: unknown): HubError =>
  new HubError("CONFIG_INVALID", { operator: `telemetry.endpoint: ${operator}`, cause });
