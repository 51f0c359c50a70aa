import type { HubError, ProfileField } from "@elara/contracts";
import type { PublishedProfile } from "@elara/runtime/store/read/profiles";
import type { PublishedServer } from "@elara/runtime/store/read/servers";
import { controlOf } from "./control.ts";
import { type Entered, typedValue } from "./field-text.ts";
import { type FieldView, fieldKey, fieldView } from "./field-view.ts";

/** Fields of a form or a query, as they came. */
export type Sent = Readonly<Record<string, unknown>>;

/** What a form says of a start. */
export interface Chosen {
  readonly profile: string;
  readonly options: Record<string, unknown>;
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
  /** A refusal that is about no field of the form. */
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
    readonly refusal?: HubError;
  },
): FormView {
  const { sent, last, refusal } = given;
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
          error: isChosen && refusal?.field === field.name ? refusal.message : "",
        });
        return view ? [view] : [];
      }),
    };
  });
  const isAtField = views.some(({ fields }) => fields.some(({ error }) => error !== ""));
  const isAtProfile = refusal?.field === "profile" && views.length > 1;
  return {
    profiles: views,
    only: views.length === 1 ? views[0] : undefined,
    profileError: refusal && isAtProfile ? refusal.message : "",
    notice: refusal && !isAtField && !isAtProfile ? refusal.message : "",
  };

  /** Links name a field as the API does, without its profile: `?profile=small&memory=4`. */
  function plain({ name }: ProfileField, isChosen: boolean): Entered | undefined {
    return isChosen && !RESERVED.has(name) ? textsOf(sent[name]) : undefined;
  }
}

/**
 * Reads a form that was sent. A profile that is not offered is passed on as it is, without options: whether it exists is
 * not said here.
 */
export function chosenOf(profiles: readonly PublishedProfile[], sent: Sent): Chosen {
  const slug = textsOf(sent.profile)?.at(-1) ?? (profiles.length === 1 ? profiles[0]?._id : undefined) ?? "";
  const fields = profiles.find(({ _id }) => _id === slug)?.fields ?? [];
  const options = fields.flatMap((field): [string, unknown][] => {
    const entered =
      textsOf(sent[fieldKey(slug, field.name)]) ??
      (RESERVED.has(field.name) ? undefined : textsOf(sent[field.name]));
    const value = entered && fieldValue(field, entered);
    return value === undefined ? [] : [[field.name, value]];
  });
  return { profile: slug, options: Object.fromEntries(options) };
}

/** An empty text is a value only where the field has one as its default; else nothing was said. */
function fieldValue(field: ProfileField, entered: Entered): unknown {
  const control = controlOf(field);
  const value = control && typedValue(control, entered);
  return value === "" && typeof field.schema.default !== "string" ? undefined : value;
}

/** Names in form and query that say something else. */
const RESERVED: ReadonlySet<string> = new Set(["profile", "next", "_xsrf"]);

function textsOf(value: unknown): readonly string[] | undefined {
  if (typeof value === "string") return [value];
  return Array.isArray(value) ? value.filter((part) => typeof part === "string") : undefined;
}
