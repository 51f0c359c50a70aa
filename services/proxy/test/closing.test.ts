import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { httpBackend, tcpBackend } from "./fixture/backend.ts";
import { serverDoc, startProxy } from "./fixture/hub.ts";
import { rawClient } from "./fixture/raw.ts";

suite("closing", () => {
  test("takes no more connections, lets a request end, then is done", async (t) => {
    const { running, port, origin, internal, ledger } = await startProxy(t, { closeSeconds: 9 });
    let finish: () => void = () => {};
    const backend = await httpBackend(t, (_request, response) => {
      finish = () => response.end("done");
      response.write("begun ");
    });
    await ledger.insert(serverDoc("ada", backend.url));
    const client = await rawClient(t, port);
    client.socket.write("GET /user/ada/ HTTP/1.1\r\nHost: a\r\n\r\n");
    await client.until("begun");
    const closed = running.close();
    for (const url of [origin, internal]) await assert.rejects(fetch(`${url}/_chp_healthz`));
    finish();
    await client.until("done");
    const began = performance.now();
    client.socket.on("end", () => client.socket.end());
    await closed;
    assert.ok(performance.now() - began < 5000);
  });

  test("a websocket is left until the deadline", async (t) => {
    const { running, port, ledger } = await startProxy(t, { closeSeconds: 0.3 });
    const backend = await tcpBackend(t, (socket) => {
      socket.once("data", () => {
        socket.write("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n");
        socket.on("data", (bytes) => socket.write(bytes));
      });
    });
    await ledger.insert(serverDoc("ada", backend.url));
    const client = await rawClient(t, port);
    client.socket.write(
      "GET /user/ada/ HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    );
    await client.until("101");
    const closed = running.close();
    client.socket.write("still here");
    await client.until("still here");
    await closed;
    await client.ended;
  });

  test("closing twice is closing once", async (t) => {
    const { running } = await startProxy(t);
    await Promise.all([running.close(), running.close()]);
    await running.close();
  });
});
