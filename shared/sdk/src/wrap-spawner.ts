import { HubError } from "@elara/contracts";
import { type Static, type TObject, type TProperties, type TSchema, Type } from "typebox";
import { Value } from "typebox/value";
import { PluginError } from "./errors.ts";
import type { Spawner, SpawnerPlugin, SpawnRequest } from "./spawner.ts";

/** What a centre changes of a spawner. */
export interface Wrapping<Options> {
  /** Name in the configuration and the ledger; default: that of the wrapped one. */
  readonly name?: string;
  /**
   * Changes what is submitted: returns those of arguments, environment and options that are to be others. The wrapped
   * spawner is handed its own options, checked, and the added ones beside them, unchecked, for what speaks of options by
   * name: templates of job scripts. What it throws is told as the cause of the failed start. `elara check` calls it once,
   * for a user named `sample`: a PluginError then counts as the refusal of that user, anything else as a fault.
   */
  request?(request: SpawnRequest<Options>): Changes | Promise<Changes>;
}

/** What of a request a wrapper may change. */
type Changes = Partial<Pick<SpawnRequest, "argv" | "env" | "options">>;

type Added<O extends TObject, P extends TProperties> = TObject<Omit<O["properties"], keyof P> & P>;

/**
 * A spawner like another one, with options of its own and a changed request. `options` are added to those of the plugin,
 * or take the place of one of the same name; marked `userChoice: true` they are fields of the spawn form, marked
 * `perStart: true` profiles may set them.
 */
export function wrapSpawner<
  O extends TObject,
  H extends TObject,
  P extends TProperties = Record<never, TSchema>,
>(
  plugin: SpawnerPlugin<O, H>,
  wrapping: Wrapping<Static<Added<O, P>>> & { readonly options?: P },
): SpawnerPlugin<Added<O, P>, H> {
  const { name = plugin.name, options: added, request: change } = wrapping;
  const { properties, required, ...rest } = plugin.options;
  const options = Type.Object({ ...properties, ...added }, rest) as unknown as Added<O, P>;
  const part = (all: unknown, isOwn: boolean): Record<string, unknown> =>
    Object.fromEntries(
      Object.entries(Object(all)).filter(([key]) => Object.hasOwn(properties, key) === isOwn),
    );
  /** Options of the wrapped spawner: an added one is not among them, whatever it is called. */
  const own = (all: unknown): Record<string, unknown> => part(all, true);
  const fitting = (all: unknown): Static<O> => {
    const wanted: unknown = Value.Default(plugin.options, own(all));
    const [fault] = Value.Errors(plugin.options as TSchema, wanted);
    if (!fault) return { ...part(all, false), ...(wanted as Static<O>) };
    throw new HubError("PLUGIN_INVALID", {
      message: "Your server could not be started.",
      operator: `The spawner "${name}" wraps "${plugin.name}" and hands it options it does not take: ${fault.instancePath.slice(1)} ${fault.message}. An option in place of one of "${plugin.name}" has to keep its type, or be translated by \`request\` while that has a default.`,
    });
  };
  /** At set-up nothing is translated yet: what will be is left to the plugin's own default. */
  const atSetup = (all: unknown): Record<string, unknown> =>
    Object.fromEntries(
      Object.entries(Object(all)).filter(([key, value]) => {
        const schema: TSchema | undefined = properties[key];
        const isReplaced = added !== undefined && Object.hasOwn(added, key);
        return !(isReplaced && schema && "default" in schema && !Value.Check(schema, value));
      }),
    );

  return {
    kind: "spawner",
    name,
    wraps: plugin.wraps ?? plugin.name,
    options,
    handle: plugin.handle,
    errors: plugin.errors,
    ...(plugin.observeMs && { observeMs: plugin.observeMs }),
    ...(plugin.clocks && { clocks: plugin.clocks }),
    async setup(configured, host) {
      const known = fitting(atSetup(configured));
      const inner = await plugin.setup(known, host);
      const { logs, form, apiUrl, check, cleanup, checkOptions } = inner;
      const rules = checkOptions?.bind(inner);
      /** What `request` makes of a replaced option is known at a start only: until then it is what set-up saw. */
      const untranslated = (all: unknown): Record<string, unknown> => {
        const entries = Object.entries(own(all));
        return Object.fromEntries(
          change && added
            ? entries.map(([key, value]) => [key, Object.hasOwn(added, key) ? Object(known)[key] : value])
            : entries,
        );
      };
      async function translated(request: SpawnRequest<Static<Added<O, P>>>) {
        const changed = (await change?.(request)) ?? {};
        const { argv = request.argv, env = request.env, options: wanted = request.options } = changed;
        return { ...request, argv, env, options: fitting(wanted) };
      }
      /** What `request` refuses a sample user, in words; "" when nothing. */
      async function checkSample(call: { readonly signal: AbortSignal }): Promise<string> {
        const sample = await translated(sampleOf(configured)).catch((error: unknown) => {
          if (error instanceof PluginError && error.field === "") return error;
          if (error instanceof HubError) throw error;
          throw new HubError("PLUGIN_INVALID", {
            operator: `\`request\` of the spawner "${name}" fails for a sample user: ${error instanceof Error ? error.message : String(error)}`,
            cause: error,
          });
        });
        if (sample instanceof PluginError) return `\`request\` refuses a sample user: ${sample.code}`;
        await rules?.(sample.options, call);
        return "";
      }
      const spawner: Spawner<Static<Added<O, P>>, Static<H>> = {
        async start(given, call) {
          const changed = await translated(given);
          if (change) await rules?.(changed.options, call);
          return inner.start(changed, call);
        },
        observe: (servers, call) => inner.observe(servers, call),
        stop: (server, call) => inner.stop(server, call),
        locate: (key, call) => inner.locate(key, call),
        ...(rules && { checkOptions: (all, call) => rules(fitting(untranslated(all)), call) }),
        ...(logs && { logs: logs.bind(inner) }),
        ...(form && { form: form.bind(inner) }),
        ...(apiUrl && { apiUrl: apiUrl.bind(inner) }),
        ...((check || change) && {
          check: async (server, call) => {
            const notes = [change && (await checkSample(call)), await check?.call(inner, server, call)];
            return notes.filter(Boolean).join("; ") || undefined;
          },
        }),
        ...(cleanup && { cleanup: cleanup.bind(inner) }),
      };
      return spawner;
    },
  };
}

/** A request as starts bring it, of a user nobody is. */
const sampleOf = <O>(options: O): SpawnRequest<O> => ({
  tag: "sample".padEnd(28, "0"),
  user: { id: "sample", name: "sample" },
  server: "",
  options,
  argv: ["jupyterhub-singleuser"],
  env: { JUPYTERHUB_USER: "sample", JUPYTERHUB_SERVICE_PREFIX: "/user/sample/", JUPYTERHUB_API_TOKEN: "" },
  servicePrefix: "/user/sample/",
});
