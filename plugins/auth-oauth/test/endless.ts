import type { RequestListener } from "node:http";

const ENOUGH = 64 * 1024 * 1024;

/** Answers with more than anybody should read, as fast as it is taken, and counts what was. */
export function endless(): { listener: RequestListener; sent(): number } {
  let sent = 0;
  return {
    listener: (_, response) => {
      const part = Buffer.alloc(65_536, "x");
      const more = (): void => {
        while (!response.destroyed && sent < ENOUGH) {
          sent += part.length;
          if (!response.write(part)) return void response.once("drain", more);
        }
        response.end();
      };
      more();
    },
    sent: () => sent,
  };
}
