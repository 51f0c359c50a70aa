import { HubError } from "@elara/contracts";

/** The slice of a list a client asked for. */
export interface Slice {
  readonly offset: number;
  readonly limit: number;
  /** The client named JupyterHub's pagination type in Accept. */
  readonly paginated: boolean;
}

const PAGINATION_TYPE = "application/jupyterhub-pagination+json";

const integer = (text: string | undefined, fallback: number): number => {
  if (text === undefined) return fallback;
  if (!/^\s*[+-]?\d{1,15}\s*$/.test(text))
    throw new HubError("FIELD_INVALID", {
      message: "Invalid argument type, offset and limit must be integers",
    });
  return Math.abs(Number.parseInt(text, 10));
};

/** Reads offset and limit (contract §1.2): capped, at least 1; without the Accept type the default is the maximum. */
export function sliceOf(
  query: { readonly offset?: string | undefined; readonly limit?: string | undefined },
  accept: string | undefined,
  limits: { readonly apiPageDefaultLimit: number; readonly apiPageMaxLimit: number },
): Slice {
  const paginated = (accept ?? "").split(",").some((type) => type.trim().toLowerCase() === PAGINATION_TYPE);
  const fallback = paginated ? limits.apiPageDefaultLimit : limits.apiPageMaxLimit;
  const limit = Math.max(1, Math.min(integer(query.limit, fallback), limits.apiPageMaxLimit));
  return { offset: integer(query.offset, 0), limit, paginated };
}

/** The body of a list: bare, or wrapped with `_pagination` when the client asked for it. */
export function listBody(items: unknown, slice: Slice, total: number, url: URL): unknown {
  if (!slice.paginated) return items;
  const { offset, limit } = slice;
  return {
    items,
    _pagination: {
      offset,
      limit,
      total,
      next: offset + limit < total ? nextPage(url, offset + limit, limit) : null,
    },
  };
}

const nextPage = (url: URL, offset: number, limit: number) => {
  const next = new URL(url);
  next.searchParams.set("offset", String(offset));
  next.searchParams.set("limit", String(limit));
  return { offset, limit, url: next.href };
};
