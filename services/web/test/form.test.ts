import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ProfileField } from "@elara/contracts";
import type { PublishedProfile } from "@elara/runtime/store/read/profiles";
import { choiceFaults, optionsRefusal } from "../src/form/choice-faults.ts";
import { chosenOf, formView, hasChoices } from "../src/form/spawn-form.ts";
import { valueFault } from "../src/form/value-fault.ts";

const field = (name: string, schema: Record<string, unknown>): ProfileField => ({
  name,
  title: "",
  description: "",
  schema,
});
const profile = (slug: string, fields: ProfileField[], backend = "local"): PublishedProfile => ({
  _id: slug,
  title: slug,
  description: "",
  backend,
  position: 0,
  fields,
  visibleTo: { everyone: true, users: [], admins: false },
  offered: {},
  changedAt: "2026-11-22T12:00:00.000Z",
});
const small = profile("small", [
  field("cores", { type: "integer", minimum: 1, maximum: 4, default: 2, unit: "cores" }),
  field("hours", { type: "number", default: 1.5 }),
  field("gpu", { type: "boolean", default: false }),
  field("image", { enum: ["lab:1", "lab:2"], default: "lab:2" }),
  field("level", { anyOf: [{ const: 1, title: "low" }, { const: 2 }], default: 1 }),
  field("account", { type: "string", pattern: "^[a-z]+$", maxLength: 8 }),
  field("note", { type: "string", default: "" }),
  field("modules", { type: "array", items: { type: "string" }, default: [] }),
  field("features", { type: "array", items: { enum: ["a", "b"] }, default: ["a"] }),
  field("deep", { type: "object", default: {} }),
]);
const large = profile("large", [field("cores", { type: "integer", default: 32 })], "slurm");

const shown = (...given: Parameters<typeof formView>) =>
  Object.fromEntries(
    formView(...given)
      .profiles.flatMap(({ fields }) => fields)
      .map(({ key, kind, text, isTicked, choices }) => {
        const several = choices.filter((choice) => choice.isChosen).map((choice) => choice.text);
        return [key, kind === "checkbox" ? isTicked : kind === "checkboxes" ? several : text];
      }),
  );

describe("the fields of the spawn form", () => {
  it("follow from the schema: one control for each kind of value", () => {
    const { profiles } = formView([small], { sent: {}, last: undefined });
    assert.deepEqual(
      profiles[0]?.fields.map(({ kind }) => kind),
      ["number", "number", "checkbox", "select", "select", "text", "text", "lines", "checkboxes"],
    );
    const [cores, hours, , image, level, account, note] = profiles[0]?.fields ?? [];
    assert.deepEqual([cores?.min, cores?.max, cores?.step, cores?.unit], ["1", "4", "1", "cores"]);
    assert.equal(cores?.range, "1 to 4 cores");
    assert.deepEqual([hours?.step, hours?.max], ["any", ""]);
    assert.deepEqual(
      image?.choices.map(({ title }) => title),
      ["lab:1", "lab:2"],
    );
    assert.deepEqual(
      level?.choices.map(({ title }) => title),
      ["low", "2"],
    );
    assert.ok(new RegExp(`^(?:${account?.pattern})$`, "v").test("abc"));
    assert.ok(!new RegExp(`^(?:${account?.pattern})$`, "v").test("ab1"));
    assert.deepEqual([account?.maxLength, account?.isRequired, note?.isRequired], ["8", true, false]);
  });

  it("leave a pattern that browsers would refuse to the check of the order", () => {
    const strange = profile("x", [field("a", { type: "string", pattern: "^[a-z-]+$" })]);
    const [view] = formView([strange], { sent: {}, last: undefined }).profiles[0]?.fields ?? [];
    assert.equal(view?.pattern, "");
  });

  it("ask for a profile or for fields, and for nothing where there is neither", () => {
    assert.equal(hasChoices([]), false);
    assert.equal(hasChoices([profile("only", [])]), false);
    assert.equal(hasChoices([profile("only", [field("deep", { type: "object" })])]), false);
    assert.equal(hasChoices([profile("a", []), profile("b", [])]), true);
    assert.equal(hasChoices([large]), true);
  });

  it("show the defaults, else the choices of the last start, else what a link says", () => {
    assert.deepEqual(shown([small], { sent: {}, last: undefined }), {
      "small.cores": "2",
      "small.hours": "1.5",
      "small.gpu": false,
      "small.image": "lab:2",
      "small.level": "1",
      "small.account": "",
      "small.note": "",
      "small.modules": "",
      "small.features": ["a"],
    });
    const last = { profile: "small", options: { cores: 3, gpu: true, image: "gone:1", modules: ["x", "y"] } };
    const kept = shown([small, large], { sent: {}, last });
    assert.deepEqual(
      [
        kept["small.cores"],
        kept["small.gpu"],
        kept["small.image"],
        kept["small.modules"],
        kept["large.cores"],
      ],
      ["3", true, "lab:2", "x\ny", "32"],
    );
    const link = shown([small, large], { sent: { profile: "large", cores: "64" }, last });
    assert.deepEqual([link["large.cores"], link["small.cores"]], ["64", "3"]);
  });

  it("choose the profile of the link, else of the last start, else the first; never one that is not offered", () => {
    const chosen = (sent: Record<string, string>, last?: string) =>
      formView([small, large], {
        sent,
        last: last ? { profile: last, options: {} } : undefined,
      }).profiles.find(({ isChosen }) => isChosen)?.slug;
    assert.equal(chosen({}), "small");
    assert.equal(chosen({}, "large"), "large");
    assert.equal(chosen({ profile: "small" }, "large"), "small");
    assert.equal(chosen({ profile: "secret" }, "hidden"), "small");
  });

  it("come back as values of their types", () => {
    const sent = {
      profile: "small",
      "small.cores": "4",
      "small.hours": "0.5",
      "small.gpu": ["false", "true"],
      "small.image": "lab:1",
      "small.level": "2",
      "small.account": "phys",
      "small.note": "",
      "small.modules": " gcc \r\n\r\npython",
      "small.features": ["", "b"],
      "large.cores": "99",
      next: "/x",
    };
    assert.deepEqual(chosenOf([small, large], sent), {
      faults: new Map(),
      profile: "small",
      options: {
        cores: 4,
        hours: 0.5,
        gpu: true,
        image: "lab:1",
        level: 2,
        account: "phys",
        note: "",
        modules: ["gcc", "python"],
        features: ["b"],
      },
    });
    const off = chosenOf([small], { "small.gpu": "false", "small.features": "", "small.account": "" });
    assert.deepEqual(off.options, { gpu: false, features: [] });
  });

  it("keep what does not fit its type as it was written, for the check of the order to name", () => {
    const sent = { profile: "small", "small.cores": "many", "small.image": "evil:1", "small.gpu": "perhaps" };
    assert.deepEqual(chosenOf([small], sent).options, { cores: "many", image: "evil:1", gpu: "perhaps" });
  });

  it("say nothing of a profile that is not offered: the order is refused as for one that does not exist", () => {
    assert.deepEqual(chosenOf([small], { profile: "secret", cores: "4" }), {
      profile: "secret",
      options: {},
      faults: new Map(),
    });
  });

  it("pass on what no field is for, to be refused by its name; fields of other profiles in the form are let be", () => {
    const sent = {
      profile: "small",
      "small.walltime": "1",
      bogus: "x",
      "hidden.cores": "3",
      "large.cores": "9",
    };
    assert.deepEqual(chosenOf([small, large], sent).options, {
      walltime: "1",
      bogus: "x",
      "hidden.cores": "3",
    });
    assert.deepEqual(chosenOf([small, large], { profile: "small", "large.memory": "1" }).options, {
      "large.memory": "1",
    });
    assert.deepEqual(chosenOf([small], { "small.deep": "{}" }).options, { deep: "{}" });
  });

  it("are refused when they come twice, but for the two of a tick box and those of a list", () => {
    const twice = (sent: Record<string, string | string[]>) => [...chosenOf([small, large], sent).faults];
    assert.deepEqual(twice({ profile: "small", "small.cores": ["2", "2"] }), [
      ["cores", "cores came more than once."],
    ]);
    assert.equal(twice({ profile: "small", "small.cores": "2", cores: "3" }).length, 1);
    assert.equal(twice({ profile: "small", "small.modules": ["a", "b"] }).length, 1);
    assert.equal(twice({ profile: "small", "small.gpu": ["true", "false"] }).length, 1);
    assert.equal(twice({ profile: "small", "small.gpu": ["false", "true"] }).length, 0);
    assert.equal(twice({ profile: "small", "small.features": ["", "a", "b"] }).length, 0);
    assert.equal(twice({ profile: ["small", "large"] })[0]?.[0], "profile");
  });

  it("show each fault at its field, with what was entered", () => {
    const faults = new Map([
      ["cores", "Too many."],
      ["note", "Too long."],
    ]);
    const sent = { profile: "large", "large.cores": "many", "small.cores": "1" };
    const view = formView([small, large], { sent, last: undefined, faults });
    const [one] = view.profiles[0]?.fields ?? [];
    const [other] = view.profiles[1]?.fields ?? [];
    assert.deepEqual([one?.error, one?.text, other?.error, other?.text], ["", "1", "Too many.", "many"]);
    assert.deepEqual([view.notice, view.profileError], ["Too long.", ""], "what has no field stands above");
  });

  it("show a fault of the profile at the profiles", () => {
    const faults = new Map([["profile", "There is no such profile."]]);
    const view = formView([small, large], { sent: {}, last: undefined, faults });
    assert.deepEqual([view.profileError, view.notice], ["There is no such profile.", ""]);
    assert.equal(
      formView([small], { sent: {}, last: undefined, faults }).notice,
      "There is no such profile.",
    );
  });

  it("show no control characters, wherever a value comes from; a list keeps its lines", () => {
    const dirty = "a\u0000b\u001b\u0085c\r\nd\ud800";
    const link = { profile: "small", note: dirty, modules: dirty, cores: "4\u0000" };
    const seen = shown([small], { sent: link, last: undefined });
    assert.deepEqual(
      [seen["small.note"], seen["small.modules"], seen["small.cores"]],
      ["abcd\ufffd", "abc\nd\ufffd", "4"],
    );
    const last = { profile: "small", options: { note: dirty, modules: [dirty] } };
    const kept = shown([small], { sent: {}, last });
    assert.deepEqual([kept["small.note"], kept["small.modules"]], ["abcd\ufffd", "abc\nd\ufffd"]);
  });
});

describe("what is wrong with a choice", () => {
  const says = (schema: Record<string, unknown>, value: unknown, description = "") =>
    valueFault({ name: "x", title: "Size", description, schema }, value);
  const cases: [string, Record<string, unknown>, unknown, string | undefined][] = [
    ["a number that fits", { type: "integer", minimum: 1 }, 1, undefined],
    [
      "bounds",
      { type: "integer", minimum: 1, maximum: 8, unit: "cores" },
      9,
      "a whole number from 1 to 8 cores",
    ],
    ["a lower bound", { type: "number", minimum: 0.5 }, 0, "a number of 0.5 or more"],
    ["an upper bound", { type: "number", maximum: 3, unit: "h" }, "x", "a number of 3 h or less"],
    [
      "open bounds",
      { type: "number", exclusiveMinimum: 0, exclusiveMaximum: 1 },
      0,
      "a number above 0 and below 1",
    ],
    [
      "steps",
      { type: "number", minimum: 0, maximum: 2, multipleOf: 0.5 },
      0.3,
      "a number from 0 to 2 in steps of 0.5",
    ],
    ["no number", { type: "integer" }, "many", "a whole number"],
    ["a choice", { enum: ["a", "b"] }, "c", "one of a, b"],
    ["a titled choice", { anyOf: [{ const: 1, title: "low" }, { const: 2 }] }, 3, "one of 1 (low), 2"],
    ["a tick", { type: "boolean" }, "perhaps", "true or false"],
    ["no text", { type: "string" }, 1, "a text"],
    ["no list", { type: "array", items: { type: "string" } }, "a", "a list"],
  ];
  for (const [what, schema, value, right] of cases)
    it(`is told without words of the schema: ${what}`, () => {
      assert.equal(says(schema, value), right && `Size must be ${right}.`);
    });

  it("is told of texts by their length, their characters, and by the description of what has a form", () => {
    assert.equal(says({ type: "string", minLength: 3 }, "ab"), "Size must have at least 3 characters.");
    assert.equal(says({ type: "string", minLength: 1 }, ""), "Size must be given.");
    assert.equal(says({ type: "string", maxLength: 1 }, "ab"), "Size may have at most 1 character.");
    const hours = { type: "string", pattern: "^[0-9]+:[0-9]{2}$" };
    assert.equal(
      says(hours, "two", "Hours and minutes, such as 02:00"),
      "Size cannot be “two”. Hours and minutes, such as 02:00.",
    );
    assert.equal(says(hours, "2"), "Size cannot be “2”.");
    assert.equal(
      says({ type: "string", pattern: "^[^\\u0000-\\u001f]*$" }, "a\nb", "Empty: none."),
      "Size may not have line breaks or other control characters.",
    );
  });

  it("is told of lists by their length and their first wrong entry", () => {
    const list = { type: "array", items: { enum: ["a", "b"] }, minItems: 1, maxItems: 2 };
    assert.equal(says(list, []), "Size must have at least 1 entry.");
    assert.equal(says(list, ["a", "b", "a"]), "Size may have at most 2 entries.");
    assert.equal(says(list, ["a", "c"]), "An entry of Size must be one of a, b.");
  });

  it("names some of many choices, and that there are none", () => {
    const many = Array.from({ length: 30 }, (_, index) => `n${index}`);
    assert.equal(
      says({ enum: many }, "x"),
      "Size must be one of n0, n1, n2, n3, n4, n5, n6, n7 and 22 others.",
    );
    assert.equal(says({ enum: [] }, "x"), "Size has nothing to choose from now.");
  });

  it("is told of all fields at once, in their order; what no form can ask is left to the order", () => {
    const faults = choiceFaults(small.fields, { note: 1, cores: 9, deep: "x", bogus: 1 });
    assert.deepEqual([...faults.keys()], ["cores", "note"]);
    const { code, status, field, message } = optionsRefusal(faults);
    assert.deepEqual([code, status, field], ["SPAWN_OPTIONS_INVALID", 400, "cores"]);
    assert.equal(message, "cores must be a whole number from 1 to 4 cores. note must be a text.");
  });
});
