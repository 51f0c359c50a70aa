import { chmod, mkdir, readdir, rm } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { HubError } from "@elara/contracts";
import { hubErrorOf } from "@elara/runtime/http/hub-error";
import Fastify from "fastify";
import type { Logger } from "pino";
import { Type } from "typebox";
import { Value } from "typebox/value";
import { MAX_EXPIRES_IN_SECONDS } from "../api/token-request.ts";
import type { KeptCount } from "../kept/count-kept.ts";
import type { TokenForName } from "./token-for-name.ts";

const TokenRequest = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 256 }),
    note: Type.Optional(Type.String({ maxLength: 1024 })),
    expiresInSeconds: Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_EXPIRES_IN_SECONDS })),
    admin: Type.Optional(Type.Boolean()),
  },
  { additionalProperties: false },
);

const KeptRequest = Type.Object(
  { kids: Type.Array(Type.String(), { maxItems: 100 }) },
  { additionalProperties: false },
);

/** Unix socket paths have 107 bytes. */
const MAX_PATH_BYTES = 107;

export interface ControlOptions {
  readonly dataDir: string;
  readonly instanceId: string;
  readonly log: Logger;
  readonly token: TokenForName;
  readonly kept: (kids: readonly string[]) => Promise<KeptCount>;
}

/**
 * The door for the command line on this machine: `{dataDir}/control/auth-{instance}.sock`, for the hub's own account only.
 * `POST /token` makes a token for a user, `POST /kept` counts what is kept of log-ins.
 */
export async function openControlSocket({
  dataDir,
  instanceId,
  log,
  token,
  kept,
}: ControlOptions): Promise<{ close(): Promise<void> }> {
  const folder = join(dataDir, "control");
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await chmod(folder, 0o700);
  await removeStale(folder);
  const path = join(folder, `auth-${instanceId}.sock`);
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) {
    log.warn(
      { path, bytes: MAX_PATH_BYTES },
      "control socket not opened: the path of the data directory is too long",
    );
    return { close: async () => {} };
  }
  const app = Fastify({ logger: false, forceCloseConnections: true });
  app.setErrorHandler((error, _request, reply) => {
    const known = hubErrorOf(error);
    if (!known) log.error({ err: error }, "control request failed");
    const { status, code, message, operator } = known ?? new HubError("INTERNAL");
    // Whoever reaches this socket is the operator.
    reply
      .status(status)
      .send({ code, message: operator === "" ? message : `${message.replace(/\.?$/, ".")} ${operator}` });
  });
  app.post("/token", async ({ body }) => {
    if (!Value.Check(TokenRequest, body)) {
      const [first] = Value.Errors(TokenRequest, body);
      throw new HubError("FIELD_INVALID", {
        message: `${first?.instancePath.slice(1) || "body"}: ${first?.message}`,
        operator: "",
      });
    }
    const { name, note = "", expiresInSeconds, admin = false } = body;
    return token({ name, note, expiresInSeconds, admin });
  });
  app.post("/kept", async ({ body }) => {
    if (!Value.Check(KeptRequest, body)) throw new HubError("FIELD_INVALID");
    return kept(body.kids);
  });
  await app.listen({ path });
  await chmod(path, 0o600);
  return {
    async close() {
      await app.close();
      await rm(path, { force: true });
    },
  };
}

/** Removes sockets that nobody listens on, left behind by killed processes. */
async function removeStale(folder: string): Promise<void> {
  for (const entry of await readdir(folder)) {
    if (!entry.endsWith(".sock")) continue;
    const path = join(folder, entry);
    if (!(await answers(path))) await rm(path, { force: true });
  }
}

const answers = (path: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
