import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { PluginError, type PluginErrors } from "@elara/sdk";
import type { ProfileEntry } from "../src/profiles/profile-entry.ts";
import { Stand, until } from "./stand.ts";

const errors: PluginErrors = {
  MOCK_OPTION: { status: 400, user: "It cannot be.", operator: "An option cannot be." },
  MOCK_AWAY: { status: 503, user: "Away.", operator: "The engine is away." },
};
/** Two cores at most with the image a:1. */
const rules = ({ image, cores }: Record<string, unknown>): void => {
  if (image === "a:1" && Number(cores) > 2)
    throw new PluginError(errors, "MOCK_OPTION", { field: "cores", message: `${cores} are too many.` });
};
const away = (): void => {
  throw new PluginError(errors, "MOCK_AWAY");
};
const profile = (over: Partial<ProfileEntry>): ProfileEntry => ({
  slug: "small",
  title: "Small",
  spawner: "mock",
  ...over,
});

let stand: Stand;
beforeEach(async () => {
  stand = await Stand.open();
});
afterEach(() => stand.close());
const refused = { code: "MOCK_OPTION", field: "cores", message: "4 are too many.", status: 400 };

describe("the rules of a plugin", () => {
  it("hold for the spawner's own options: the hub does not start", async () => {
    stand.world.rules = rules;
    await assert.rejects(stand.start({}, {}, [{ options: { image: "a:1", cores: 4 } }]), {
      code: "CONFIG_INVALID",
      operator: "spawners[0].options.cores: MOCK_OPTION: An option cannot be. (4 are too many.)",
    });
  });

  it("hold for each profile as a whole, told at what it says", async () => {
    stand.world.rules = rules;
    const profiles = [
      profile({ slug: "fine", options: { image: "b:2" } }),
      profile({ slug: "fixed", options: { cores: 3 } }),
      profile({ slug: "begins", fields: { cores: { default: 4 } } }),
    ];
    await assert.rejects(
      stand
        .start({ profiles }, {}, [{ options: { image: "b:2", cores: 1 } }])
        .then(() => stand.start({ profiles })),
      (error: Error & { operator: string }) => {
        assert.deepEqual(error.operator.split("\n  "), [
          "spawn.profiles[1].options.cores: MOCK_OPTION: An option cannot be. (3 are too many.)",
          "spawn.profiles[2].fields.cores: MOCK_OPTION: An option cannot be. (4 are too many.)",
        ]);
        return true;
      },
    );
  });

  it("hold for choices: the order is refused at its field, and nothing is begun", async () => {
    stand.world.rules = rules;
    await stand.start();
    await assert.rejects(stand.order({ cores: 4 }), refused);
    assert.equal(await stand.doc(), undefined);
    await stand.order({ cores: 4, image: "b:2" });
    await stand.reachPhase("ready");
  });

  it("are asked once more before the submit, with whole options", async () => {
    const asked: Record<string, unknown>[] = [];
    stand.world.rules = (options) => {
      asked.push(options);
      // Another limit by now.
      if (asked.length > 2)
        throw new PluginError(errors, "MOCK_OPTION", { field: "cores", message: "No more." });
    };
    await stand.start();
    await stand.order({ cores: 2 });
    const { cause } = await stand.rest("failed");
    assert.deepEqual([cause.code, cause.message], ["MOCK_OPTION", "No more."]);
    assert.equal(stand.world.requests.length, 0);
    assert.deepEqual(
      asked.map(({ cores, image, fixed }) => [cores, image, fixed]),
      [
        [undefined, undefined, undefined],
        [2, "a:1", "by the administrator"],
        [2, "a:1", "by the administrator"],
      ],
    );
  });

  it("that cannot be told now keep neither the hub nor an order from being taken", async () => {
    stand.world.rules = away;
    await stand.start({ profiles: [profile({})] });
    await stand.order();
    const { cause } = await stand.rest("failed");
    assert.equal(cause.code, "MOCK_AWAY");
    stand.world.rules = undefined;
    await stand.order();
    await until("a start", async () => (await stand.doc())?.phase === "ready");
  });
});
