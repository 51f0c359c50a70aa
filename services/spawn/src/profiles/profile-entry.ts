import type { FieldKeywords } from "@elara/sdk";
import { type Static, Type } from "typebox";

const closed = { additionalProperties: false } as const;
const text = (description: string) => Type.Optional(Type.String({ minLength: 1, description }));

/** What a profile says of one option it offers. Held against what an administrator wrote, option by option. */
export const Narrowing = Type.Object(
  {
    title: text("Label in the form; default: the option's name."),
    description: text("Help under the field."),
    enum: Type.Optional(
      Type.Array(Type.Union([Type.String(), Type.Number()]), { description: "The only values there are." }),
    ),
    minimum: Type.Optional(Type.Number()),
    maximum: Type.Optional(Type.Number()),
    pattern: text("Regular expression that the text must match."),
    default: Type.Optional(Type.Unknown({ description: "Value the form begins with." })),
  },
  closed,
);

/** One entry of `spawn.profiles`. */
export const ProfileEntry = Type.Object(
  {
    slug: Type.String({
      pattern: "^[a-z0-9][a-z0-9-]{0,39}$",
      description: "Name in addresses, in the API and in what users keep; do not change it.",
    }),
    title: Type.String({ minLength: 1, maxLength: 100, description: "What users read." }),
    description: Type.Optional(Type.String({ description: "A sentence or two under the title." })),
    spawner: Type.String({ minLength: 1, description: "Name of the entry in `spawners` that starts it." }),
    options: Type.Optional(
      Type.Record(Type.String(), Type.Unknown(), {
        description:
          "Options of the spawner in this profile, over those of its entry: fixed, or where a field begins. Only those it reads at each start, marked below; what it reads once (where its engine is) stands in its entry.",
      }),
    ),
    fields: Type.Optional(
      Type.Record(Type.String(), Type.Unsafe<FieldKeywords | true>({}), {
        description:
          "Options a user may choose, by name: `true`, or `{ title, description, enum, minimum, maximum, pattern, default }`, which only narrow. Absent: all that the spawner lets users choose; `{}`: none.",
      }),
    ),
    visibleTo: Type.Optional(
      Type.Object(
        {
          users: Type.Optional(
            Type.Array(Type.String({ minLength: 1 }), {
              description: "Users who are offered it; `visibleTo` absent: everybody.",
            }),
          ),
          admins: Type.Optional(Type.Boolean({ description: "Administrators are offered it." })),
        },
        {
          ...closed,
          description: "Who is offered it: these users, administrators, or both. Absent: everybody.",
        },
      ),
    ),
  },
  closed,
);
export type ProfileEntry = Static<typeof ProfileEntry>;
