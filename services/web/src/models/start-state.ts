import { ERRORS, type Server } from "@elara/contracts";

/** How a start stands, in words for its owner; pages and the event stream say the same. */
export interface StartState {
  readonly kind: "starting" | "queued" | "unknown";
  /** In the pill. */
  readonly word: string;
  readonly heading: string;
  /** What it means for the owner; "" where the steps say all. */
  readonly words: string;
  /** What queue or backend gave as its reason, "" when it gave none. */
  readonly reason: string;
  readonly since: string;
}

const WORDS = {
  starting: { word: "Starting", heading: "Your server is starting", words: "" },
  queued: {
    word: "Queued",
    heading: "Your server waits in the queue",
    words: "It starts by itself when its turn comes.",
  },
  unknown: {
    word: "Not answering",
    heading: "Your server is starting",
    words:
      "The place where your server starts does not answer at the moment. Nothing is lost: the hub keeps asking, and no time runs out meanwhile.",
  },
} as const;

/** The state of a server that is on its way to ready. */
export function startState({
  phase,
  phaseAt,
  reason = "",
}: Pick<Server, "phase" | "phaseAt" | "reason">): StartState {
  const kind = phase === "queued" || phase === "unknown" ? phase : "starting";
  return { kind, ...WORDS[kind], reason: kind === "starting" ? "" : ownReason(reason), since: phaseAt };
}

/** What was said of itself; what the hub says where a backend gave no reason stands in the words already. */
export const ownReason = (reason = ""): string => (reason === ERRORS.SPAWN_BACKEND_AWAY.user ? "" : reason);

/** One sentence for clients that show text only. */
export const startSentence = ({ kind, heading, words, reason }: StartState): string =>
  kind === "starting" ? heading : `${words}${reason === "" ? "" : ` (${reason})`}`;

const UTC = /(\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?Z)/;

/** A sentence of a backend, cut where it names a moment, so that pages show that in the reader's time. */
export const withTimes = (sentence: string): readonly { readonly text: string; readonly isTime: boolean }[] =>
  sentence
    .split(UTC)
    .map((text, index) => ({ text, isTime: index % 2 === 1 }))
    .filter(({ text }) => text !== "");
