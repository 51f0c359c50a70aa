import { HubError, type OAuthClient } from "@elara/contracts";
import { timestamp } from "@elara/runtime/clock";
import { sessionIdOf, setSessionIdCookie } from "@elara/runtime/http/cookies";
import { hubPath } from "@elara/runtime/http/paths";
import { digest } from "@elara/runtime/id";
import { renderPage } from "@elara/runtime/pages/render";
import { HIERARCHY, isScope } from "@elara/runtime/scopes/hierarchy";
import type { Identity } from "@elara/runtime/store/read/identity";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { fieldsOf, textOf } from "../fields.ts";
import type { Ground } from "../ground.ts";
import { newAccessToken } from "../people/secret.ts";
import type { TokenBook } from "../people/token-book.ts";
import { grantedScopes, isNeeded, mayAccess } from "./granted-scopes.ts";
import { challengeMethod } from "./pkce.ts";

/** How long an authorization code lives. */
const CODE_SECONDS = 300;

/**
 * `/hub/api/oauth2/authorize`: a logged-in browser gets a code for a client. Answers are pages, not JSON; what is wrong after
 * client and redirect are known goes back to the client.
 */
export function authorizeRoutes(app: FastifyInstance, ground: Ground, tokens: TokenBook): void {
  const url = `${hubPath(ground.hub)}api/oauth2/authorize`;
  const config = { access: { kind: "page" }, body: "form" } as const;
  app.get(url, { config }, async (request, reply) => {
    const asked = await understand(request, reply);
    if (!asked) return reply;
    const { client, identity, scopes } = asked;
    if (isOwnServer(client, identity) || client.noConfirm || (await hasConfirmed(client, identity, scopes)))
      return giveCode(reply, asked, scopes);
    return renderPage(reply, "authorize", {
      title: "Authorize",
      client: { description: client.description },
      scopes: scopes.map((scope) => ({
        scope,
        description: descriptionOf(scope),
        isNeeded: isNeeded(scope, client),
      })),
    });
  });
  app.post(url, { config }, async (request, reply) => {
    const asked = await understand(request, reply);
    if (!asked) return reply;
    const chosen = fieldsOf(request.body, "scopes");
    const scopes = asked.scopes.filter((scope) => isNeeded(scope, asked.client) || chosen.includes(scope));
    return giveCode(reply, asked, scopes);
  });

  interface Asked {
    readonly client: OAuthClient;
    readonly identity: Identity;
    readonly scopes: string[];
    readonly redirectUri: string;
    readonly state: string | undefined;
    readonly challenge: string;
    readonly method: "" | "S256" | "plain";
  }

  /** The request, when it is in order; otherwise it is answered and undefined. */
  async function understand(request: FastifyRequest, reply: FastifyReply): Promise<Asked | undefined> {
    const { identity, query } = request;
    if (!identity) throw new HubError("NO_CREDENTIALS");
    const client = await ground.records.clients.get(textOf(query, "client_id") ?? "");
    if (!client) return void (await refuse(reply, 400, "Invalid client_id parameter value."));
    const redirectUri = textOf(query, "redirect_uri") ?? client.redirectUri;
    if (redirectUri !== client.redirectUri)
      return void (await refuse(reply, 400, "Mismatching redirect URI."));
    const state = textOf(query, "state");
    const sendBack = (error: string, description?: string): undefined =>
      void reply.redirect(
        withQuery(redirectUri, { error, ...(description ? { error_description: description } : {}), state }),
      );

    if (textOf(query, "response_type") !== "code") return sendBack("unsupported_response_type");
    const challenge = textOf(query, "code_challenge") ?? "";
    const method = challengeMethod(challenge, textOf(query, "code_challenge_method"));
    if (method === undefined) return sendBack("invalid_request", "Transform algorithm not supported.");
    if (method === "" && ground.config.requirePkce)
      return sendBack("invalid_request", "Code challenge required.");
    if (!mayAccess(identity, client))
      return void (await refuse(reply, 403, `You do not have permission to access ${client.description}`));
    const scopes = grantedScopes(
      (textOf(query, "scope") ?? "").split(/\s+/).filter(Boolean),
      identity,
      client,
    );
    if (scopes === undefined) return sendBack("invalid_scope");
    return { client, identity, scopes, redirectUri, state, challenge, method };
  }

  async function giveCode(reply: FastifyReply, asked: Asked, scopes: string[]): Promise<FastifyReply> {
    const { client, identity, redirectUri, state, challenge, method } = asked;
    const code = newAccessToken();
    const sessionId = identity.sessionId ?? "";
    await ground.records.codes.insert({
      _id: digest(code),
      v: 1,
      clientId: client._id,
      redirectUri,
      userId: identity.userId,
      sessionId,
      scopes,
      challenge,
      challengeMethod: method,
      expiresAt: timestamp(ground.clock.now() + CODE_SECONDS * 1000),
      spentAt: "",
    });
    if (sessionId !== "" && sessionIdOf(reply.request) !== sessionId)
      setSessionIdCookie(reply, ground.hub, sessionId);
    return reply.redirect(withQuery(redirectUri, { code, state }));
  }

  /** Asked once: an unexpired token of this client already has these scopes. */
  async function hasConfirmed(client: OAuthClient, identity: Identity, scopes: string[]): Promise<boolean> {
    const given = await tokens.valid({ userId: identity.userId, clientId: client._id });
    return given.some((token) => scopes.every((scope) => token.scopes.includes(scope)));
  }
}

const isOwnServer = (client: OAuthClient, identity: Identity): boolean =>
  client.serverId !== "" && client.userId === identity.userId;

const refuse = (reply: FastifyReply, status: number, message: string): Promise<FastifyReply> =>
  renderPage(reply.status(status), "error", {
    title: String(status),
    error: { status, message, code: "OAUTH_REFUSED", requestId: reply.request.id, retryable: false },
  });

/** The redirect target with these parameters; what is undefined is left out. */
function withQuery(target: string, parameters: Record<string, string | undefined>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) if (value !== undefined) query.append(name, value);
  return `${target}${target.includes("?") ? "&" : "?"}${query}`;
}

/** A sentence for the person who is asked, with the resource the scope is narrowed to. */
function descriptionOf(scope: string): string {
  const [name = "", filter] = scope.split("!", 2);
  const sentence = isScope(name) ? HIERARCHY[name].description : name;
  if (filter === undefined) return sentence;
  if (filter === "user") return `${sentence} Only your own.`;
  const [kind = "", value = ""] = filter.split("=", 2);
  const [owner = "", server = ""] = value.split("/", 2);
  if (kind === "server")
    return `${sentence} Only ${server === "" ? "the server" : `the server ${server}`} of ${owner}.`;
  return `${sentence} Only ${kind} ${value}.`;
}
