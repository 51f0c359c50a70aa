/** What `begin` makes up for one attempt; the hub keeps it sealed in the browser's cookie, and only there. */
export interface Attempt {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
}

/** A token answer as the provider gave it. Nothing in it is verified. */
export interface TokenAnswer {
  readonly access_token: string;
  readonly [field: string]: unknown;
}

/** Why there are no tokens. */
export type EngineFault =
  /** The person, or the provider for them, said no. */
  | "DENIED"
  /** The callback has an error that no provider's fault explains. */
  | "CALLBACK_ERROR"
  | "STATE_INVALID"
  | "CODE_MISSING"
  | "CODE_REFUSED"
  | "CLIENT_REFUSED"
  | "PROVIDER_ERROR"
  | "UNREACHABLE";

/** No tokens. `told` is the provider's error code where it sent one (`access_denied`); nothing secret is in either. */
export class EngineError extends Error {
  readonly fault: EngineFault;
  readonly told: string;

  constructor(fault: EngineFault, told = "") {
    super(fault);
    this.fault = fault;
    this.told = told;
  }
}

/** Sends people to a provider and exchanges the code they bring back. It judges nobody: see id-token.ts. */
export interface OAuthEngine {
  /** `parameters`: sent besides what every log-in sends. */
  begin(
    callbackUrl: string,
    parameters?: Readonly<Record<string, string>>,
  ): Promise<{ url: string; attempt: Attempt }>;
  /**
   * Throws an EngineError, also when it takes too long. Takes no signal: a code that was sent is used up, and what comes
   * for it has to be given back.
   */
  exchange(call: {
    readonly input: Readonly<Record<string, string>>;
    readonly attempt: Attempt;
    readonly callbackUrl: string;
  }): Promise<TokenAnswer>;
}
