import type { ProfileField } from "@elara/contracts";
import type { PublishedProfile } from "@elara/runtime/store/read/profiles";
import type { PublishedServer } from "@elara/runtime/store/read/servers";
import type { Faults } from "./choice-faults.ts";
import { type Control, controlOf } from "./control.ts";
import { type Entered, isTwice, typedValue } from "./field-text.ts";
import { type FieldView, fieldKey, fieldView } from "./field-view.ts";
import { valueFault } from "./value-fault.ts";

/** Fields of a form or a query, as they came. */
export type Sent = Readonly<Record<string, unknown>>;

/** What a form says of a start. */
export interface Chosen {
  readonly profile: string;
  readonly options: Record<string, unknown>;
  /** All that is wrong with what the form's own fields say. */
  readonly faults: Faults;
}

/** A profile as the form shows it. */
export interface ProfileView {
  readonly slug: string;
  readonly title: string;
  readonly description: string;
  /** Where it runs; "" when all run at one place. */
  readonly backend: string;
  readonly isChosen: boolean;
  readonly fields: readonly FieldView[];
}

/** The spawn form. */
export interface FormView {
  readonly profiles: readonly ProfileView[];
  /** The one there is, when there is no choice of profiles. */
  readonly only: ProfileView | undefined;
  /** Why the choice of profile is refused. */
  readonly profileError: string;
  /** How many fields are wrong. */
  readonly wrong: number;
  /** What is wrong and is about no field of the form. */
  readonly notice: string;
}

/** Whether there is anything to choose. */
export const hasChoices = (profiles: readonly PublishedProfile[]): boolean =>
  profiles.length > 1 || profiles.some(({ fields }) => fields.some((field) => controlOf(field)));

/** The form with what it shows: what was sent, else the choices of the last start, else the defaults. */
export function formView(
  profiles: readonly PublishedProfile[],
  given: {
    readonly sent: Sent;
    readonly last: Pick<PublishedServer, "profile" | "options"> | undefined;
    readonly faults?: Faults;
  },
): FormView {
  const { sent, last, faults = new Map<string, string>() } = given;
  const slugs = profiles.map(({ _id }) => _id);
  const wanted = textsOf(sent.profile)?.at(-1) ?? "";
  const slug = [wanted, last?.profile].find((one) => one !== undefined && slugs.includes(one)) ?? slugs[0];
  const areElsewhere = new Set(profiles.map(({ backend }) => backend)).size > 1;
  const views = profiles.map((profile): ProfileView => {
    const isChosen = profile._id === slug;
    const isLast = profile._id === last?.profile;
    return {
      slug: profile._id,
      title: profile.title,
      description: profile.description,
      backend: areElsewhere ? profile.backend : "",
      isChosen,
      fields: profile.fields.flatMap((field) => {
        const view = fieldView(profile._id, field, {
          entered: textsOf(sent[fieldKey(profile._id, field.name)]) ?? plain(field, isChosen),
          last: isLast ? last?.options[field.name] : undefined,
          error: isChosen ? (faults.get(field.name) ?? "") : "",
        });
        return view ? [view] : [];
      }),
    };
  });
  const profileError = views.length > 1 ? (faults.get("profile") ?? "") : "";
  const wrong = views
    .flatMap(({ fields }) => fields.map(({ error }) => error))
    .filter((error) => error !== "");
  const told = new Set([profileError, ...wrong]);
  return {
    profiles: views,
    only: views.length === 1 ? views[0] : undefined,
    profileError,
    wrong: wrong.length,
    notice: [...faults.values()].filter((sentence) => !told.has(sentence)).join(" "),
  };

  /** Links name a field as the API does, without its profile: `?profile=small&memory=4`. */
  function plain({ name }: ProfileField, isChosen: boolean): Entered | undefined {
    return isChosen && !RESERVED.has(name) ? textsOf(sent[name]) : undefined;
  }
}

/**
 * Reads a form that was sent. What no field of the profile is for is passed on, to be refused by its name; only fields that
 * the form itself has for other profiles are left out: without script they come along. A profile that is not offered is
 * passed on as it is, without options: whether it exists is not said here.
 */
export function chosenOf(profiles: readonly PublishedProfile[], sent: Sent): Chosen {
  const slugs = textsOf(sent.profile) ?? [];
  const slug = slugs.at(-1) ?? (profiles.length === 1 ? profiles[0]?._id : undefined) ?? "";
  const profile = profiles.find(({ _id }) => _id === slug);
  const faults = new Map<string, string>();
  if (slugs.length > 1) faults.set("profile", "The profile came more than once.");
  if (!profile) return { profile: slug, options: {}, faults };
  const options = [...enteredByName(profiles, slug, sent)].flatMap(([name, entered]): [string, unknown][] => {
    const field = profile.fields.find((one) => one.name === name);
    if (!field) return [[name, entered.length > 1 ? entered : entered[0]]];
    const title = field.title || name;
    const control = controlOf(field);
    const value = control ? fieldValue(control, field, entered) : entered[0];
    const fault = isTwice(control, entered)
      ? `${title} came more than once.`
      : value !== undefined
        ? valueFault(field, value)
        : field.schema.default === undefined && `${title} must be given.`;
    if (fault) faults.set(name, fault);
    return value === undefined ? [] : [[name, value]];
  });
  return { profile: slug, options: Object.fromEntries(options), faults };
}

/** What was entered, by option: `small.cores` of the form and plain `cores` are the same. */
function enteredByName(
  profiles: readonly PublishedProfile[],
  slug: string,
  sent: Sent,
): Map<string, Entered> {
  const others = new Set(
    profiles
      .filter(({ _id }) => _id !== slug)
      .flatMap(({ _id, fields }) => fields.map(({ name }) => fieldKey(_id, name))),
  );
  const own = fieldKey(slug, "");
  const entered = new Map<string, Entered>();
  for (const [key, value] of Object.entries(sent)) {
    if (RESERVED.has(key) || others.has(key)) continue;
    const name = key.startsWith(own) ? key.slice(own.length) : key;
    entered.set(name, [...(entered.get(name) ?? []), ...(textsOf(value) ?? [])]);
  }
  return entered;
}

/** An empty text is a value only where the field has one as its default; else nothing was said. */
function fieldValue(control: Control, field: ProfileField, entered: Entered): unknown {
  const value = typedValue(control, entered);
  return value === "" && typeof field.schema.default !== "string" ? undefined : value;
}

/** Names in form and query that say something else. */
const RESERVED: ReadonlySet<string> = new Set(["profile", "next", "_xsrf"]);

function textsOf(value: unknown): readonly string[] | undefined {
  if (typeof value === "string") return [value];
  return Array.isArray(value) ? value.filter((part) => typeof part === "string") : undefined;
}
