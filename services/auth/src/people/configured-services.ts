import { setTimeout as sleep } from "node:timers/promises";
import { codeOf, HubError, type Token } from "@elara/contracts";
import type { Fault } from "@elara/runtime/config/faults";
import { digest } from "@elara/runtime/id";
import { unknownScopes } from "@elara/runtime/scopes/expand";
import type { ServiceEntry } from "../config.ts";
import type { Ground } from "../ground.ts";
import type { TokenBook } from "./token-book.ts";

const ACTOR = "system:auth";
const AGAIN_MS = 1000;
/** As many random characters as `openssl rand -hex 16` gives. */
const MIN_SECRET = 16;

/** What the schema of `auth.services` cannot say. Secrets may be references still: then they are not looked at. */
export function serviceFaults(services: readonly ServiceEntry[]): Fault[] {
  const faults: Fault[] = [];
  const names = services.map(({ name }) => name);
  for (const [index, { name, token, scopes }] of services.entries()) {
    const path = `services[${index}]`;
    if (names.indexOf(name) !== index)
      faults.push({ path: `${path}.name`, message: `two services are named "${name}"; names must differ` });
    if (scopes.includes("inherit"))
      faults.push({
        path: `${path}.scopes`,
        message: '"inherit" says nothing for a service; name its scopes',
      });
    const unknown = unknownScopes(scopes);
    if (unknown.length > 0)
      faults.push({ path: `${path}.scopes`, message: `no such scopes: ${unknown.join(", ")}` });
    if (typeof token !== "string") continue;
    if (token.length < MIN_SECRET)
      faults.push({
        path: `${path}.token`,
        message: `has ${token.length} characters, at least ${MIN_SECRET} are needed; make one with \`openssl rand -hex 16\``,
      });
    if (services.findIndex((other) => other.token === token) !== index)
      faults.push({
        path: `${path}.token`,
        message: "is the token of another service too; give each its own",
      });
  }
  return faults;
}

/**
 * Makes the tokens of services be as the configuration says: made, given their scopes, revoked where the service is no
 * longer there. The tokens say what services may do, so that every replica and service knows it. Throws CONFIG_INVALID
 * when a token is somebody else's; while the store is away it goes on trying until `signal` aborts.
 */
export async function registerServices(
  ground: Ground,
  tokens: TokenBook,
  signal: AbortSignal,
): Promise<void> {
  for (let complained = false; !signal.aborted; ) {
    try {
      await registerOnce(ground, tokens);
      return;
    } catch (error) {
      if (codeOf(error) !== "STORE_AWAY") throw error;
      if (!complained) ground.log.warn({ code: codeOf(error) }, "tokens of services not looked at yet");
      complained = true;
      await sleep(AGAIN_MS, undefined, { signal }).catch(() => undefined);
    }
  }
}

async function registerOnce({ config, records, log }: Ground, tokens: TokenBook): Promise<void> {
  const wanted = new Map(config.services.map((service) => [digest(service.token), service]));
  for (const [index, [credential, { name, scopes }]] of [...wanted].entries()) {
    const known = await records.tokens.get(credential);
    if (known === undefined) {
      await tokens.register(
        credential,
        { kind: "service", userId: "", service: name, note: `Service ${name}`, scopes: [...scopes] },
        ACTOR,
      );
      log.info({ name }, "token of a service registered");
    } else if (isOf(known, name)) await tokens.renew(credential, scopes, ACTOR);
    else
      throw new HubError("CONFIG_INVALID", {
        operator: `auth.services[${index}].token: is in use by ${known.service ? `the service ${known.service}` : "a user"}; make another one with \`openssl rand -hex 16\`.`,
      });
  }
  const gone = await tokens.revokeWhere({ kind: "service" }, ACTOR, ({ _id }) => !wanted.has(_id));
  if (gone > 0) log.info({ tokens: gone }, "tokens of services revoked that the configuration does not name");
}

const isOf = (token: Token, name: string): boolean => token.kind === "service" && token.service === name;
