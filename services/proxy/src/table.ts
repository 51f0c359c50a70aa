/** Values under paths. Looks up the longest prefix over whole segments; percent-encoding counts for matching only. */
export interface PathTable<V> {
  set(path: string, value: V): void;
  delete(path: string): void;
  /** What stands under exactly this path. */
  get(path: string): V | undefined;
  /** What stands under the longest prefix of this request path; a query is ignored. */
  find(path: string): V | undefined;
  readonly size: number;
}

interface Node<V> {
  readonly below: Map<string, Node<V>>;
  value: V | undefined;
}

/** An empty table. A look-up costs by the path's length, not by the number of entries. */
export function pathTable<V>(): PathTable<V> {
  const root: Node<V> = { below: new Map(), value: undefined };
  let size = 0;

  const at = (path: string): Node<V> | undefined => {
    let node: Node<V> | undefined = root;
    for (const segment of segmentsOf(path)) node = node?.below.get(segment);
    return node;
  };

  return {
    set(path, value) {
      let node = root;
      for (const segment of segmentsOf(path)) {
        let next = node.below.get(segment);
        if (!next) {
          next = { below: new Map(), value: undefined };
          node.below.set(segment, next);
        }
        node = next;
      }
      if (node.value === undefined) size++;
      node.value = value;
    },
    delete(path) {
      const way: [Node<V>, string][] = [];
      let node: Node<V> = root;
      for (const segment of segmentsOf(path)) {
        const next = node.below.get(segment);
        if (!next) return;
        way.push([node, segment]);
        node = next;
      }
      if (node.value === undefined) return;
      node.value = undefined;
      size--;
      for (const [above, segment] of way.reverse()) {
        const below = above.below.get(segment);
        if (below && (below.value !== undefined || below.below.size > 0)) return;
        above.below.delete(segment);
      }
    },
    get: (path) => at(path)?.value,
    find(path) {
      let node: Node<V> | undefined = root;
      let best = root.value;
      const end = endOf(path);
      for (let from = 1; from < end; ) {
        let to = path.indexOf("/", from);
        if (to < 0 || to > end) to = end;
        node = node.below.get(decoded(path.slice(from, to)));
        if (node === undefined) break;
        if (node.value !== undefined) best = node.value;
        from = to + 1;
      }
      return best;
    },
    get size() {
      return size;
    },
  };
}

/** The segments of a path, decoded; slashes around do not count. */
export function segmentsOf(path: string): string[] {
  const inner = path.slice(0, endOf(path)).replace(/^\//, "").replace(/\/$/, "");
  return inner === "" ? [] : inner.split("/").map(decoded);
}

function endOf(path: string): number {
  const query = path.indexOf("?");
  return query < 0 ? path.length : query;
}

/** A segment for comparing. One that cannot be decoded stands for itself. */
function decoded(segment: string): string {
  if (!segment.includes("%")) return segment;
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
