import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { ADMIN_GROUP, COLLECTION, GROUP } from "./globus-people.ts";
import { GROUPS, requestId, type ServiceToken, TRANSFER } from "./globus-tokens.ts";

/** What lies on the collection, by absolute path. */
export type Files = Map<string, Buffer>;

export interface ServiceParts {
  readonly files: Files;
  find(value: string): ServiceToken | undefined;
  /** Whether this is a live access token of Globus Auth itself. */
  isForAuth(value: string): boolean;
  /** Domain a session must have logged in with for the collection; undefined: any. */
  requiredDomain(): string | undefined;
}

const NAMES: Readonly<Record<string, string>> = {
  [GROUP]: "Analytical Engines",
  [ADMIN_GROUP]: "Administrators",
};

/**
 * The resource servers: groups and transfer. Each takes its own token only. Globus itself moves files by tasks and
 * serves them over a collection's HTTPS address; here the transfer API serves them, so that one token shows the way.
 */
export function globusServices(
  app: FastifyInstance,
  { files, find, isForAuth, requiredDomain }: ServiceParts,
): void {
  app.addContentTypeParser(
    "*",
    { parseAs: "buffer", bodyLimit: 8 << 20 },
    async (_: unknown, body: Buffer) => body,
  );

  const refuse = (
    reply: FastifyReply,
    status: number,
    code: string,
    message: string,
    more = {},
  ): FastifyReply =>
    reply
      .status(status)
      .send({ code, message, request_id: requestId(), resource: reply.request.url.split("?")[0], ...more });

  /** The token of this request, if it is one of this resource server; else the request is answered. */
  const holder = (resourceServer: string) => async (request: FastifyRequest, reply: FastifyReply) => {
    const [, value] = /^bearer (\S+)$/i.exec(request.headers.authorization ?? "") ?? [];
    const token = find(value ?? "");
    if (!token && !isForAuth(value ?? ""))
      return refuse(reply, 401, "AuthenticationFailed", "Token is not active.");
    if (token?.kind !== "access" || token.resourceServer !== resourceServer)
      return refuse(reply, 403, "ConsentRequired", "The token was not issued for this resource server.", {
        authorization_parameters: {
          session_message: `Log in again and allow ${resourceServer}.`,
          required_scopes: [`urn:globus:auth:scope:${resourceServer}:all`],
        },
      });
    const domain = requiredDomain();
    if (resourceServer === TRANSFER && domain !== undefined && token.sessionDomain !== domain)
      return refuse(
        reply,
        403,
        "AuthPolicyFailed",
        "The session does not satisfy the policy of the collection.",
        {
          authorization_parameters: {
            session_message: `This collection wants a log-in with ${domain}.`,
            session_required_single_domain: [domain],
          },
        },
      );
    asked.set(request, token);
  };
  const asked = new WeakMap<FastifyRequest, ServiceToken>();

  app.get("/v2/groups/my_groups", { preHandler: holder(GROUPS) }, async (request) => {
    const person = asked.get(request)?.person;
    return (person?.groups ?? []).map((id) => ({
      id,
      name: NAMES[id] ?? id,
      description: "",
      group_type: "regular",
      enforce_session: false,
      parent_id: null,
      my_memberships: [
        {
          group_id: id,
          identity_id: person?.sub,
          username: person?.username,
          role: "member",
          status: "active",
        },
      ],
    }));
  });

  const base = `/v0.10/operation/endpoint/:collection`;
  type Place = { Params: { collection: string; "*"?: string }; Querystring: { path?: string } };
  const isHere = ({ params }: { params: { collection: string } }): boolean =>
    params.collection === COLLECTION;
  const unknown = (reply: FastifyReply): FastifyReply =>
    refuse(reply, 404, "EndpointNotFound", "There is no such collection.");

  app.get<Place>(`${base}/ls`, { preHandler: holder(TRANSFER) }, async (request, reply) => {
    if (!isHere(request)) return unknown(reply);
    const path = `${(request.query.path ?? "/").replace(/\/+$/, "")}/`;
    const inside = [...files].filter(
      ([name]) => name.startsWith(path) && !name.slice(path.length).includes("/"),
    );
    return {
      DATA_TYPE: "file_list",
      endpoint: COLLECTION,
      path,
      length: inside.length,
      total: inside.length,
      DATA: inside.map(([name, bytes]) => ({
        DATA_TYPE: "file",
        type: "file",
        name: name.slice(path.length),
        size: bytes.length,
        last_modified: "2026-11-01 12:00:00+00:00",
        permissions: "0644",
      })),
    };
  });
  app.get<Place>(`${base}/files/*`, { preHandler: holder(TRANSFER) }, async (request, reply) => {
    if (!isHere(request)) return unknown(reply);
    const bytes = files.get(`/${request.params["*"]}`);
    return bytes
      ? reply.type("application/octet-stream").send(bytes)
      : refuse(reply, 404, "ClientError.NotFound", "No such file.");
  });
  app.put<Place>(`${base}/files/*`, { preHandler: holder(TRANSFER) }, async (request, reply) => {
    if (!isHere(request)) return unknown(reply);
    files.set(`/${request.params["*"]}`, Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0));
    return reply.status(201).send({ code: "Created" });
  });
}
