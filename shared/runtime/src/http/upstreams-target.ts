/** Where a leg connects to, and what stands in front of the request's path there. */
export interface Target {
  readonly secure: boolean;
  readonly host: string;
  readonly port: number;
  /** Path of the target without its last slash, put in front of every request's path; mostly "". */
  readonly path: string;
  /** `http://host:port`, for logs. */
  readonly origin: string;
}

/** A target from a URL like `http://127.0.0.1:40123`; undefined when it is none that can be connected to. */
export function parseTarget(url: string): Target | undefined {
  const parsed = URL.parse(url);
  if (parsed === null || (parsed.protocol !== "http:" && parsed.protocol !== "https:")) return undefined;
  const secure = parsed.protocol === "https:";
  return {
    secure,
    host: parsed.hostname.replace(/^\[(.*)\]$/, "$1"),
    port: Number(parsed.port || (secure ? 443 : 80)),
    path: parsed.pathname.replace(/\/$/, ""),
    origin: parsed.origin,
  };
}
