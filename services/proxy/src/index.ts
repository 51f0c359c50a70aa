export { default } from "./proxy.ts";
export { refusePublicAddress } from "./public-address.ts";
