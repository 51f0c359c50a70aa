import { Type } from "typebox";

/** First and last port for servers. */
export type PortRange = readonly [first: number, last: number];

/** Schema of the option `portRange`. */
export const portRange = (keywords: { readonly description?: string; readonly perStart?: boolean } = {}) =>
  // An array to whoever reads the schema, a pair to the plugin.
  Type.Unsafe<PortRange>(
    Type.Array(Type.Integer({ minimum: 1, maximum: 65535 }), {
      default: [20_000, 29_999],
      minItems: 2,
      maxItems: 2,
      description: "First and last port for servers.",
      ...keywords,
    }),
  );

/** What the schema cannot say of a range; undefined when it is right. */
export const portRangeFault = ([first, last]: PortRange): string | undefined =>
  first > last ? `${first} is above ${last}; the lower port comes first` : undefined;
