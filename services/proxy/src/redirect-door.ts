import type { IncomingMessage, ServerResponse } from "node:http";
import type { DoorHandler } from "./server.ts";

const HOST = /^([a-z0-9.-]{1,253}|\[[0-9a-f:.]{2,45}\])(:\d{1,5})?$/i;

/** The door for those who forgot the s: every request is sent to the same path over TLS, and nothing is served. */
export function redirectDoor(given: { publicUrl: string; tlsPort: () => number }): DoorHandler {
  const originFor = (host: string): string | undefined => {
    if (given.publicUrl !== "") return given.publicUrl;
    const [, name] = HOST.exec(host) ?? [];
    const port = given.tlsPort();
    return name === undefined ? undefined : `https://${name}${port === 443 ? "" : `:${port}`}`;
  };
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const origin = originFor(request.headers.host ?? "");
    const path = request.url ?? "/";
    response.setHeader("Content-Length", 0);
    response.setHeader("Connection", "close");
    if (origin === undefined || !path.startsWith("/")) response.writeHead(400);
    // 308: a form or a script's POST keeps its method and body.
    else response.writeHead(308, { Location: origin + path });
    response.end();
  };
  return {
    request: answer,
    upgrade: (_request, socket) => {
      socket.on("error", () => socket.destroy());
      socket.end("HTTP/1.1 426 Upgrade Required\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    },
  };
}
