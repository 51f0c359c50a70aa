import { shapeMissing, shapes } from "../../fixtures/hub.ts";
import type { Way } from "../../fixtures/subscriber.ts";
import { endOfRevoked, followPeople, hubWithReaders } from "../../fixtures/trials/subscribers.ts";
import type { Cell, Part } from "./cell.ts";

const MOST_MS = 5000;

/** Six subscribers of different scopes: what they may read against what they got; how soon a revoked one is sent away. */
export const subscribers: Part = async (say) => {
  const cells: Cell[] = [];
  for (const shape of shapes) {
    const missing = await shapeMissing(shape);
    if (missing) {
      cells.push({ row: shape, column: "received = allowed", ok: false, evidence: missing });
      continue;
    }
    const ways: readonly Way[] = shape === "apart" ? ["nats", "sse"] : ["sse"];
    const stage = await hubWithReaders(shape);
    try {
      for (const { way, results } of await followPeople(stage, ways)) {
        const row = `${shape}, ${way}`;
        say(`\n  ${row}`);
        for (const { name, scopes, filter, allowed, received, missing: lost, excess } of results) {
          const asked = filter === "" ? "" : `, asks for ${filter}`;
          say(
            `    ${name.padEnd(11)} ${`${scopes}${way === "nats" ? asked : ""}`.padEnd(62)} allowed ${allowed}, received ${received}`,
          );
          cells.push({
            row: `${row}: ${name}`,
            column: "received = allowed",
            ok: allowed > 0 && lost.length === 0 && excess.length === 0,
            evidence:
              lost.length + excess.length === 0
                ? `${received} of ${allowed} events, none else`
                : `missing ${lost.join(" ") || "none"}; too many ${excess.join(" ") || "none"}`,
          });
        }
        const ms = Math.round(await endOfRevoked(stage.hub, way));
        cells.push({ row, column: "revoked ends < 5 s", ok: ms < MOST_MS, evidence: `${ms} ms` });
      }
    } finally {
      await stage.hub.close();
    }
  }
  return cells;
};
