/** Runs one call per key at a time; who asks meanwhile shares its outcome. */
export function singleFlight<R>(): (key: string, run: () => Promise<R>) => Promise<R> {
  const running = new Map<string, Promise<R>>();
  return (key, run) => {
    const going = running.get(key);
    if (going) return going;
    const started = run().finally(() => running.delete(key));
    running.set(key, started);
    return started;
  };
}
