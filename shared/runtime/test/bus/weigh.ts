import type { OrderContract } from "@elara/contracts";
import { Type } from "typebox";

const Request = Type.Object({ n: Type.Integer(), ballast: Type.String() });
const Answer = Type.Object({ n: Type.Integer() });

/** An order that may be heavy, so that many of them do not fit into what a socket is read for in one turn. */
export const weigh: OrderContract<typeof Request, typeof Answer> = {
  type: "suite.weigh",
  summary: "",
  request: Request,
  answer: Answer,
};
