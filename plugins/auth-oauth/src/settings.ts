import type { AuthenticatorHost } from "@elara/sdk";
import type { Faults, SharedFault } from "./fault-table.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** An option as the file has it ("" when absent), and oauthenticator's environment variables it is else read from. */
export interface Setting {
  readonly option: string;
  readonly value: string;
  readonly names: readonly string[];
}

/** The option's value, else the first variable that is set, else "". */
export const settled = ({ value, names }: Setting, env: Environment): string =>
  value || (names.map((name) => env[name]).find(Boolean) ?? "");

/** The hub's own name and secret at the provider. Throws CLIENT_ID_MISSING, CLIENT_SECRET_MISSING. */
export function settledClient(
  { id, secret }: { readonly id: Setting; readonly secret: Setting },
  env: Environment,
  faults: Faults<SharedFault>,
): { clientId: string; clientSecret: string } {
  const clientId = settled(id, env);
  if (clientId === "") throw faults("CLIENT_ID_MISSING", { field: id.option });
  const clientSecret = settled(secret, env);
  if (clientSecret === "") throw faults("CLIENT_SECRET_MISSING", { field: secret.option });
  return { clientId, clientSecret };
}

/** An address without a slash at its end; `fallback` when nothing is set. Throws ADDRESS_INVALID. */
export function settledAddress(
  setting: Setting,
  fallback: string,
  env: Environment,
  faults: Faults<SharedFault>,
): string {
  const text = settled(setting, env) || fallback;
  const url = URL.parse(text);
  if (url && /^https?:$/.test(url.protocol) && !/[?#\s]/.test(text) && url.username === "")
    return text.replace(/\/+$/, "");
  const also = setting.names.length > 0 ? ` (${setting.names.join(" or ")} in the environment)` : "";
  // A password may stand before an @.
  const not = text.includes("@") ? "" : `, not ${JSON.stringify(text)}`;
  throw faults("ADDRESS_INVALID", {
    field: setting.option,
    operator: `Option \`${setting.option}\`${also} must be an http(s) URL without query, fragment and password${not}.`,
  });
}

/** OAUTH_TLS_VERIFY=0 turns the verification of certificates off, as at oauthenticator. */
export const isTlsVerified = (env: Environment): boolean => env.OAUTH_TLS_VERIFY !== "0";

/** Where log-ins come back to the hub. */
export type CallbackPlace = Pick<AuthenticatorHost, "callbackPaths" | "publicUrl">;

/**
 * The callback address to send; "" where none is configured. The variable is one for all entries: without a name it leads
 * to the first, and `/{name}` is put behind it for the others. Throws ADDRESS_INVALID, and CALLBACK_INVALID when the
 * address would come back to another log-in, another hub, or to none.
 */
export function settledCallback(
  value: string,
  env: Environment,
  { callbackPaths: paths, publicUrl }: CallbackPlace,
  faults: Faults<SharedFault>,
): string {
  const setting = { option: "callbackUrl", value, names: ["OAUTH_CALLBACK_URL"] };
  if (settled(setting, env) === "") return "";
  const url = settledAddress(setting, "", env, faults);
  const { pathname, origin } = new URL(url);
  const from = value === "" ? "OAUTH_CALLBACK_URL" : "Option `callbackUrl`";
  if (publicUrl !== "" && origin !== URL.parse(publicUrl)?.origin)
    throw faults("CALLBACK_INVALID", {
      field: "callbackUrl",
      operator: `${from} leads to ${origin}; people reach the hub at \`hub.publicUrl\`, ${publicUrl}. Correct one of them, and register that address at the provider.`,
    });
  if (paths.includes(pathname)) return url;
  const [named] = paths;
  const name = named.slice(named.lastIndexOf("/"));
  if (value === "" && `${pathname}${name}` === named) return `${url}${name}`;
  throw faults("CALLBACK_INVALID", {
    field: "callbackUrl",
    operator: `${from} has the path ${pathname}; this log-in comes back to ${paths.join(" or ")}. Set option \`callbackUrl\` of this entry to such an address, and register the same at the provider.`,
  });
}
