import { connect, createServer, type Socket } from "node:net";

/** A relay between a driver and its database that can lose a message of the conversation. */
export interface LossyRelay {
  readonly port: number;
  /** The next such command is carried out, its answer never arrives: `meanwhile` runs, then the connection breaks. */
  loseAnswer(command: string, meanwhile?: () => Promise<unknown>): Promise<void>;
  /** The next such command never reaches the database; the connection breaks. */
  loseRequest(command: string): Promise<void>;
  close(): Promise<void>;
}

interface Loss {
  readonly command: string;
  readonly kind: "answer" | "request";
  readonly meanwhile: () => Promise<unknown>;
  readonly done: () => void;
}

/** Relays to a port of this machine. */
export async function lossyRelay(target: number): Promise<LossyRelay> {
  const sockets = new Set<Socket>();
  let armed: Loss | undefined;
  const server = createServer((client) => {
    const upstream = connect(target, "127.0.0.1");
    let losing: Loss | undefined;
    const end = () => {
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on("error", end).on("close", () => {
        sockets.delete(socket);
        end();
      });
    }
    client.on("data", (chunk) => {
      if (armed && chunk.includes(`${armed.command}\0`)) {
        losing = armed;
        armed = undefined;
        if (losing.kind === "request") {
          losing.done();
          return end();
        }
      }
      upstream.write(chunk);
    });
    upstream.on("data", (chunk) => {
      if (!losing) return void client.write(chunk);
      const { meanwhile, done } = losing;
      void meanwhile().then(() => {
        done();
        end();
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const lose = (kind: Loss["kind"], command: string, meanwhile: () => Promise<unknown> = async () => {}) =>
    new Promise<void>((done) => {
      armed = { command, kind, meanwhile, done };
    });
  return {
    port: typeof address === "object" && address ? address.port : 0,
    loseAnswer: (command, meanwhile) => lose("answer", command, meanwhile),
    loseRequest: (command) => lose("request", command),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
