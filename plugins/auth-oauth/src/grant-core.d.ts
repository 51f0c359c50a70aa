/** One turn of grant, as its handlers would make it of a request. */
interface GrantTurn {
  readonly method: "GET";
  readonly params: { readonly provider: string; readonly override?: "callback" };
  readonly query?: Readonly<Record<string, string>>;
  readonly session?: Readonly<Record<string, string>>;
}

declare module "grant/lib/grant.js" {
  type Config = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

  interface Outcome {
    /** Where to send the browser. */
    readonly location?: string;
    readonly session: Readonly<Record<string, unknown>>;
  }

  /** Grant without its web handlers; `config`: as it understood what it was given. */
  export default function grant(options: {
    readonly config: Config;
  }): ((turn: GrantTurn) => Promise<Outcome>) & { readonly config: Config };
}

declare module "grant/lib/request.js" {
  /** A turn with its provider. */
  interface Step {
    readonly provider: unknown;
    readonly input: unknown;
  }

  const steps: {
    defaults(config: unknown): (turn: GrantTurn) => Step;
    /** The exchange; `output` is the provider's answer, or `{ error }`. */
    callback(options: {
      readonly request: Readonly<Record<string, unknown>>;
    }): (step: Step) => (step: Step) => Promise<{ readonly output: unknown }>;
  };
  export default steps;
}
