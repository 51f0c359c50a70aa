import { isLoopback, type PluginHost } from "@elara/sdk";

/** Says once at the start what is open to whoever is on the way. */
export function warnOfOpenWays(host: PluginHost, isTlsVerified: boolean, addresses: readonly string[]): void {
  if (!isTlsVerified)
    host.log.warn(
      { variable: "OAUTH_TLS_VERIFY" },
      "certificates of the provider are NOT verified: anybody on the way can log in as anybody; for tests only",
    );
  const open = addresses.filter((address) => {
    const { protocol, hostname } = new URL(address);
    return protocol === "http:" && !isLoopback(hostname);
  });
  if (open.length > 0)
    host.log.warn(
      { addresses: open },
      "the provider is spoken to without TLS: secret and tokens go in the clear; for tests only",
    );
}
