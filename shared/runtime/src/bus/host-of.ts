/** The host of a server's address, `host:port` with or without a scheme in front. */
export const hostOf = (server: string): string => server.replace(/^[a-z]+:\/\//, "").replace(/:\d+$/, "");
