/** An account on a host. */
export interface SshTarget {
  readonly host: string;
  readonly port: number;
  readonly account: string;
}

/** One command on another machine. argv never meets a shell of ours; quoting for the remote one is done here. */
export interface SshCommand {
  readonly argv: readonly string[];
  /** Given on stdin; secrets belong here and nowhere else. */
  readonly stdin?: string;
  /** Milliseconds for all of it, connecting included. */
  readonly deadlineMs: number;
  readonly signal?: AbortSignal;
}

/** What a command said. Output beyond 4 MiB is refused. */
export interface SshResult {
  /** -1 when it was ended by a signal. */
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A port of this machine that leads to one of the other. */
export interface SshForward {
  readonly host: string;
  readonly port: number;
  close(): Promise<void>;
}

/** Connections to other machines, one for each account and host, opened when needed, closed when idle. */
export interface Ssh {
  /** Opens the connection when there is none: a start can be cancelled up to here, before anything is sent. */
  connect(
    target: SshTarget,
    limits: { readonly deadlineMs: number; readonly signal?: AbortSignal },
  ): Promise<void>;
  /** Runs a command. Throws an SshError when it could not be run, never for its exit code. */
  run(target: SshTarget, command: SshCommand): Promise<SshResult>;
  /** Listens here (port 0: any) and carries every connection to `host:port` as seen from the target. Throws when it cannot listen. */
  forward(
    target: SshTarget,
    to: { readonly host: string; readonly port: number },
    listen: { readonly host: string; readonly port: number },
  ): Promise<SshForward>;
  close(): Promise<void>;
}

/** Why a command could not be run. `credential`: the hub has none it could show. `login`: the host did not accept it. */
export type SshFault = "unreachable" | "host_key" | "credential" | "login" | "deadline" | "output" | "closed";

/** The host could not be asked; says nothing about what runs there. `message` is for the operator. */
export class SshError extends Error {
  override readonly name = "SshError";
  readonly fault: SshFault;
  constructor(fault: SshFault, message: string, options?: ErrorOptions) {
    super(message, options);
    this.fault = fault;
  }
}
