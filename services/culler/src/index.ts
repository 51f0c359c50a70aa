export { culler as default } from "./culler.ts";
