declare module "grant/lib/grant.js" {
  interface Turn {
    readonly method: "GET";
    readonly params: { readonly provider: string; readonly override?: "callback" };
    readonly query?: Readonly<Record<string, string>>;
    readonly state?: Readonly<Record<string, never>>;
    readonly session?: Readonly<Record<string, string>>;
  }

  interface Outcome {
    /** Where to send the browser; absent after a callback and after a fault. */
    readonly location?: string;
    readonly session: Readonly<Record<string, unknown>>;
    readonly state: { readonly response?: Readonly<Record<string, unknown>> };
  }

  /** Grant without its web handlers. */
  export default function grant(options: {
    readonly config: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
    readonly request?: Readonly<Record<string, unknown>>;
    /** After the exchange; default: asks for the profile. */
    readonly extend?: readonly never[];
  }): (turn: Turn) => Promise<Outcome>;
}
