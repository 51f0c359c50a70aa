export { sqliteStore } from "./store/sqlite.ts";
export type {
  Change,
  Condition,
  Documents,
  Filter,
  Page,
  PendingEvent,
  Query,
  Scalar,
  Store,
} from "./store/store.ts";
