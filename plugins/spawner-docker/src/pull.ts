import { PluginError, type StartCall } from "@elara/sdk";
import type Docker from "dockerode";
import { statusOf, wordOf } from "./engine.ts";
import { dockerError } from "./errors.ts";

/** A line at least this often, which also tells the hub that the pull goes on. */
const EVERY_MS = 5_000;

interface PullEvent {
  readonly id?: string;
  readonly status?: string;
  readonly error?: string;
  readonly progressDetail?: { readonly current?: number; readonly total?: number };
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(bytes < 10e6 ? 1 : 0)} MB`;

/** What of an image has come so far, by layer. */
class Layers {
  readonly #layers = new Map<string, { current: number; total: number; isDone: boolean }>();

  add({ id, status = "", progressDetail: { current = 0, total = 0 } = {} }: PullEvent): void {
    const isLayer =
      /^(Pulling fs layer|Waiting|Downloading|Verifying|Download complete|Extracting|Pull complete|Already)/;
    if (id === undefined || !isLayer.test(status)) return;
    const layer = this.#layers.get(id) ?? { current: 0, total: 0, isDone: false };
    if (status === "Downloading") Object.assign(layer, { current, total });
    if (/^(Download complete|Extracting|Pull complete|Already)/.test(status)) layer.current = layer.total;
    if (/^(Pull complete|Already)/.test(status)) layer.isDone = true;
    this.#layers.set(id, layer);
  }

  /** From 0 to 1. */
  get share(): number {
    const all = [...this.#layers.values()];
    const total = all.reduce((sum, layer) => sum + (layer.total || 1), 0);
    const done = all.reduce((sum, layer) => sum + (layer.total ? layer.current : Number(layer.isDone)), 0);
    return total === 0 ? 0 : (done / total + all.filter(({ isDone }) => isDone).length / all.length) / 2;
  }

  toString(): string {
    const all = [...this.#layers.values()];
    const sum = (key: "current" | "total") => megabytes(all.reduce((bytes, layer) => bytes + layer[key], 0));
    return `${all.filter(({ isDone }) => isDone).length} of ${all.length} layers, ${sum("current")} of ${sum("total")}`;
  }
}

/** Events of a pull, one JSON a line. Throws when the stream is cut, and DOCKER_PULL_FAILED for a line that is none. */
async function* eventsOf(image: string, stream: NodeJS.ReadableStream): AsyncGenerator<PullEvent> {
  let rest = "";
  for await (const chunk of stream) {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) if (line.trim() !== "") yield eventOf(image, line);
  }
}

function eventOf(image: string, line: string): PullEvent {
  try {
    return Object(JSON.parse(line));
  } catch (cause) {
    throw dockerError("DOCKER_PULL_FAILED", { detail: { image, word: line.slice(0, 500) }, cause });
  }
}

function refusal(image: string, word: string) {
  const isAbsent = /not found|manifest unknown|name unknown|access denied|no such image/i.test(word);
  return dockerError(isAbsent ? "DOCKER_IMAGE_MISSING" : "DOCKER_PULL_FAILED", { detail: { image, word } });
}

/** Fetches an image. A few steps of progress; ends when the signal does. Throws DOCKER_IMAGE_MISSING, DOCKER_PULL_FAILED. */
export async function pullImage(
  docker: Docker,
  image: string,
  { signal, progress }: StartCall,
): Promise<void> {
  progress("pulling", `Fetching the image ${image}`, 10);
  signal.throwIfAborted();
  const layers = new Layers();
  let [told, at] = [0, performance.now()];
  try {
    // However long it takes: the hub's clock ends it when nothing comes any more.
    for await (const event of eventsOf(image, await docker.pull(image, { abortSignal: signal }))) {
      if (event.error !== undefined) throw refusal(image, event.error);
      layers.add(event);
      const { share } = layers;
      if (share < told + 0.25 && performance.now() < at + EVERY_MS) continue;
      [told, at] = [share, performance.now()];
      progress("pulling", `Fetching the image: ${layers}`, Math.round(10 + 50 * share));
    }
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof PluginError) throw error;
    if (statusOf(error) > 0) throw refusal(image, wordOf(error));
    throw dockerError("DOCKER_ENGINE_AWAY", { detail: wordOf(error), cause: error });
  }
  signal.throwIfAborted();
}
