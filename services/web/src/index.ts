export { web as default } from "./web.ts";
