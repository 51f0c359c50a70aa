import { type AddressInfo, createServer } from "node:net";

/** A port of loopback that was free a moment ago. */
export const unusedPort = (): Promise<number> =>
  new Promise((done, fail) => {
    const server = createServer();
    server.once("error", fail);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => done(port));
    });
  });
