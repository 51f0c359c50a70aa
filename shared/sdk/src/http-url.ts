import { isIPv6 } from "node:net";

/** `http://host:port` of a name or an address, as rows have it. */
export const httpUrl = (host: string, port: number): string =>
  `http://${isIPv6(host) ? `[${host}]` : host}:${port}`;
