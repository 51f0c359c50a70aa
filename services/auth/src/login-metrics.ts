import { observe } from "@elara/runtime/metrics/meter";
import type { FastifyInstance } from "fastify";

/** Counts attempts to log in (a form sent, a provider's answer) and log-outs, with their durations, as JupyterHub does. */
export function countLogins(app: FastifyInstance, hubPath: string): void {
  app.addHook("onResponse", async (request, reply) => {
    const route = (request.routeOptions.url ?? "").slice(hubPath.length);
    const seconds = reply.elapsedTime / 1000;
    if (route === "logout") observe("logout_duration_seconds", seconds);
    const isForm = request.method === "POST" && /^login(\/|$)/.test(route);
    if (!isForm && !/^oauth_callback(\/|$)/.test(route)) return;
    // Whoever is let in is sent on; a page that is shown says why not.
    const status = reply.statusCode >= 300 && reply.statusCode < 400 ? "success" : "failure";
    observe("login_duration_seconds", seconds, { status });
  });
}
